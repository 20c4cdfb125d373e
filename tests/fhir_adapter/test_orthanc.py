"""The real image archive Orthanc with its DICOMweb plugin; skipped where it is not installed."""

import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import orjson
import pydicom
import pytest
from pydicom.data import get_testdata_file

from fhir_adapter.build import build_record
from fhir_adapter.chart import Chart
from fhir_adapter.dicom import decode_film
from fhir_adapter.dicomweb import DicomWeb
from fhir_adapter.record import Gap, GapReason
from fhir_adapter.settings import FhirSettings
from fhir_adapter.transport import open_http
from tests.fhir_adapter.builders import ASKED_AT, FILM_UID, Json, dicom_file, endpoint, patient, series, soon, study

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
pytestmark = [
    pytest.mark.orthanc,
    pytest.mark.skipif(
        shutil.which("Orthanc") is None or not PLUGIN.exists(),
        reason="needs Orthanc: apt-get install orthanc orthanc-dicomweb",
    ),
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(url).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail("Orthanc did not become ready")


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An empty archive on a free port; its DICOMweb root."""
    folder, port = tmp_path_factory.mktemp("orthanc"), free_port()
    root = {"Enable": True, "Root": "/dicom-web/"}
    settings = {
        "StorageDirectory": str(folder / "db"),
        "IndexDirectory": str(folder / "db"),
        "HttpPort": port,
        "DicomServerEnabled": False,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "HttpCompressionEnabled": False,
        "Plugins": [str(PLUGIN)],
        "DicomWeb": root,
    }
    (folder / "orthanc.json").write_bytes(orjson.dumps(settings))
    process = subprocess.Popen(
        ["Orthanc", str(folder / "orthanc.json")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_until_ready(f"http://127.0.0.1:{port}/system", process)
        yield f"http://127.0.0.1:{port}/dicom-web"
    finally:
        process.terminate()
        process.wait(30)


def store(orthanc: str, film: bytes) -> None:
    httpx.post(orthanc.replace("/dicom-web", "/instances"), content=film).raise_for_status()


def jpeg_2000_film() -> tuple[bytes, Json]:
    """The adult film of pydicom-data, and an ImagingStudy that lists it."""
    film = Path(str(get_testdata_file("RG1_J2KI.dcm", download=False))).read_bytes()
    header = pydicom.dcmread(BytesIO(film), stop_before_pixels=True)
    return film, study(
        series(uid=header.SeriesInstanceUID, instance=[{"uid": header.SOPInstanceUID}]),
        identifier=[{"system": "urn:dicom:uid", "value": f"urn:oid:{header.StudyInstanceUID}"}],
    )


@pytest.fixture
async def web(orthanc: str) -> AsyncIterator[DicomWeb]:
    """A client that may ask this archive."""
    settings = FhirSettings(allowed_servers=(orthanc,))
    async with open_http(settings) as http:
        yield DicomWeb(http, settings)


async def test_stored_film_becomes_the_record_s_film(orthanc: str, web: DicomWeb) -> None:
    """A film that was stored in the archive comes back pixel for pixel, by the study's own endpoint."""
    store(orthanc, dicom_file())
    chart = Chart(patient(), studies=(study(),), endpoints=(endpoint(address=orthanc),))

    record = await build_record(chart, None, web, ASKED_AT, soon())

    assert np.array_equal(record.films[0].pixels, decode_film(dicom_file()).pixels)


async def test_compressed_film_comes_as_it_is_stored(orthanc: str, web: DicomWeb) -> None:
    """Orthanc cannot decompress JPEG 2000, so the film must be asked for in its own transfer syntax."""
    film, adult = jpeg_2000_film()
    store(orthanc, film)
    chart = Chart(patient(), studies=(adult,), endpoints=(endpoint(address=orthanc),))

    record = await build_record(chart, None, web, ASKED_AT, soon())

    assert np.array_equal(record.films[0].pixels, decode_film(film).pixels)


async def test_film_that_is_not_stored_is_a_gap(orthanc: str, web: DicomWeb) -> None:
    """An archive that does not know the film answers 404, and the record says that it is not on file."""
    unknown = study(series(instance=[{"uid": FILM_UID + ".9"}]))

    record = await build_record(
        Chart(patient(), studies=(unknown,), endpoints=(endpoint(address=orthanc),)), None, web, ASKED_AT, soon()
    )

    assert Gap("image", "radiograph", GapReason.MISSING) in record.gaps
