from __future__ import annotations

import io
from typing import Any

import pydicom
import pytest
from PIL import Image
from starlette.testclient import TestClient

from cds_hooks.sandbox.hospital import Sandbox


@pytest.fixture
def study(sandbox: Sandbox) -> str:
    return sandbox.archive.find(patient="demo-t4k1")[0].study


def first_part(response: Any) -> bytes:
    boundary = response.headers["content-type"].rpartition("boundary=")[2].encode()
    part: bytes = response.content.split(b"--" + boundary)[1]
    return part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")


def test_instance_comes_as_a_part(client: TestClient, study: str) -> None:
    """WADO-RS wraps the stored file into multipart/related, byte by byte as it was."""
    response = client.get(f"/dicom-web/studies/{study}")
    dataset = pydicom.dcmread(io.BytesIO(first_part(response)))

    assert response.headers["content-type"].startswith('multipart/related; type="application/dicom"')
    assert (dataset.StudyInstanceUID, dataset.pixel_array.shape) == (study, (64, 64))


def test_levels_lead_to_the_instance(client: TestClient, study: str) -> None:
    """QIDO-RS leads from the patient to the studies, and from one to its series and its instance."""
    found = client.get("/dicom-web/studies", params={"PatientID": "demo-t4k1"}).json()
    series = client.get(f"/dicom-web/studies/{study}/series").json()
    uid = series[0]["0020000E"]["Value"][0]
    instances = client.get(f"/dicom-web/studies/{study}/series/{uid}/instances").json()

    assert study in [one["0020000D"]["Value"][0] for one in found]
    assert len(found) == 2  # the film of today and an earlier one
    assert instances[0]["00280010"]["Value"] == [64]


def test_every_study_is_listed_once(client: TestClient, sandbox: Sandbox) -> None:
    """Without a filter QIDO-RS lists all studies."""
    assert len(client.get("/dicom-web/studies").json()) == len(sandbox.archive.find()) == 7


def test_metadata_has_no_pixels(client: TestClient, study: str) -> None:
    """Metadata are the attributes without the picture."""
    (metadata,) = client.get(f"/dicom-web/studies/{study}/metadata").json()
    assert "7FE00010" not in metadata
    assert metadata["00185101"]["Value"] == ["AP"]


def test_rendered_film_fits_the_viewport(client: TestClient, study: str) -> None:
    """A chart page gets a PNG no larger than it asked for."""
    response = client.get(f"/dicom-web/studies/{study}/rendered?viewport=32,48")
    with Image.open(io.BytesIO(response.content)) as picture:
        assert (picture.format, picture.size) == ("PNG", (32, 32))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("studies/1.2.3", 404),
        ("studies/1.2.3/metadata", 404),
        ("studies/1.2.3/rendered", 404),
        ("studies?Nosuch=1", 400),
        ("{study}/rendered?viewport=0,1", 400),
        ("{study}/rendered?viewport=wide", 400),
        ("nosuch", 404),
    ],
)
def test_bad_request_is_refused(client: TestClient, study: str, path: str, status: int) -> None:
    """Unknown studies, keys and sizes are errors, with a sentence."""
    response = client.get(f"/dicom-web/{path.format(study=f'studies/{study}')}")
    assert (status, True) == (response.status_code, bool(response.json()["error"]))


def test_archive_is_read_only(client: TestClient) -> None:
    """Films come in through Python only."""
    assert client.post("/dicom-web/studies").status_code == 405
