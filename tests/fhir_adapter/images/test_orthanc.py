"""The real image archive Orthanc with its DICOMweb plugin; skipped where it is not installed."""

from collections.abc import AsyncIterator, Iterator
from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from fhir_adapter.build import build_record
from fhir_adapter.chart import Chart
from fhir_adapter.images.dicom import decode_film
from fhir_adapter.images.dicomweb import DicomWeb
from fhir_adapter.record import Gap, GapReason
from fhir_adapter.rest.transport import open_http
from fhir_adapter.settings import FhirSettings
from tests.fhir_adapter.builders import ASKED_AT, FILM_UID, Json, dicom_file, endpoint, patient, series, soon, study
from tests.orthanc import orthanc_server, why_no_orthanc

pytestmark = [pytest.mark.orthanc, pytest.mark.skipif(bool(why_no_orthanc()), reason=why_no_orthanc())]


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An empty archive; its DICOMweb root."""
    with orthanc_server(tmp_path_factory.mktemp("orthanc")) as archive:
        yield f"{archive.url}/dicom-web"


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
