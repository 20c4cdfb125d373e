from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image

from cds_hooks.sandbox.archive import DicomArchive
from cds_hooks.sandbox.cases import Case, FilmRow, load_cases
from cds_hooks.sandbox.films import FilmMissing, as_file, film_instance, wrap_png
from cds_hooks.sandbox.rendering import render_png
from tests.sandbox.conftest import NOW

CASES = {case.key: case for case in load_cases()}
FILM = FilmRow(modality="CR", view="AP", minutes_ago=0)


def png(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def wrapped(case: Case = CASES["viral"], film: FilmRow = FILM, shape: tuple[int, int] = (5, 7)) -> pydicom.Dataset:
    pixels = np.arange(shape[0] * shape[1], dtype=np.uint8).reshape(shape)
    return pydicom.dcmread(io.BytesIO(as_file(wrap_png(png(pixels), case, film, NOW))))


def test_pixels_survive_the_wrapping() -> None:
    """An odd number of pixels is padded as DICOM asks, and comes back as it was."""
    np.testing.assert_array_equal(wrapped().pixel_array, np.arange(35, dtype=np.uint8).reshape(5, 7))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Modality", "DX"),
        ("ViewPosition", "PA"),
        ("BodyPartExamined", "CHEST"),
        ("PhotometricInterpretation", "MONOCHROME2"),
        ("PatientID", "demo-w8m2"),
        ("StudyDate", "20261124"),
    ],
)
def test_film_says_what_it_is(name: str, value: str) -> None:
    """The attributes that the scope check reads are those of the case."""
    assert value == wrapped(film=FilmRow(modality="DX", view="PA", minutes_ago=0))[name].value


def test_made_film_says_that_it_is_synthetic() -> None:
    """Nobody who finds the file takes it for a patient's."""
    assert "Synthetic" in wrapped().ImageComments
    assert "Synthetic" in wrapped().DerivationDescription


def test_identifiers_depend_on_the_case_only() -> None:
    """The same patient has the same study on every server and in every run."""
    assert wrapped().StudyInstanceUID == wrapped(shape=(3, 3)).StudyInstanceUID
    assert wrapped().StudyInstanceUID != wrapped(CASES["healthy"]).StudyInstanceUID


def test_real_sample_is_filed_under_our_patient(films: Path) -> None:
    """The public DICOM sample keeps its picture and loses the name and dates it came with."""
    pytest.importorskip("data_store", reason="pydicom-data is not installed")
    case = CASES["adult"]
    assert case.film is not None
    instance = film_instance(case, case.film, NOW, films)

    assert (instance.PatientID, instance.Rows, instance.PhotometricInterpretation) == ("demo-a6d7", 1955, "MONOCHROME1")
    assert instance.StudyDate == "20261124"


def test_unknown_real_sample_is_refused(films: Path) -> None:
    """A sample that is not installed is said with the command that installs it."""
    with pytest.raises(FilmMissing, match=r"mllm-cds\[demo\]"):
        film_instance(
            CASES["adult"], FilmRow(modality="CR", view="PA", minutes_ago=0, file="pydicom-data:NO.dcm"), NOW, films
        )


def test_inverted_film_is_shown_bone_white() -> None:
    """MONOCHROME1 is turned over on the way to the screen."""
    instance = wrapped(shape=(4, 4))
    straight = render_png(as_file(instance))
    instance.PhotometricInterpretation = "MONOCHROME1"
    turned = render_png(as_file(instance))

    with Image.open(io.BytesIO(straight)) as one, Image.open(io.BytesIO(turned)) as other:
        np.testing.assert_array_equal(np.asarray(one), 255 - np.asarray(other))


def test_instance_replaces_its_older_self() -> None:
    """An instance that is stored again is there once."""
    archive = DicomArchive()
    for _ in range(2):
        archive.put(wrapped())

    assert len(archive.find(patient="demo-w8m2")) == 1
