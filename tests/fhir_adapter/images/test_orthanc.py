"""The real image archive Orthanc with its DICOMweb plugin; skipped where it is not installed."""

from collections.abc import AsyncIterator, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.uid import UID, ImplicitVRLittleEndian

from fhir_adapter.build import build_record
from fhir_adapter.chart import Chart
from fhir_adapter.images.dicom import decode_film
from fhir_adapter.images.dicomweb import DicomWeb
from fhir_adapter.images.films import read_films
from fhir_adapter.record import Gap, GapReason
from fhir_adapter.rest.transport import open_http
from fhir_adapter.settings import FhirSettings
from tests.fhir_adapter.builders import (
    ASKED_AT,
    FILM_UID,
    Json,
    dicom_file,
    endpoint,
    patient,
    ramp,
    series,
    soon,
    study,
)
from tests.fhir_adapter.images.encoders import LOSSLESS, LOSSY, file_in
from tests.fhir_adapter.images.test_decoders import bits_of
from tests.orthanc import Orthanc, orthanc_server, why_no_orthanc

pytestmark = [pytest.mark.orthanc, pytest.mark.skipif(bool(why_no_orthanc()), reason=why_no_orthanc())]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    """An empty archive."""
    with orthanc_server(tmp_path_factory.mktemp("orthanc")) as started:
        yield started


@pytest.fixture
def orthanc(archive: Orthanc) -> str:
    """The archive's DICOMweb root."""
    return archive.dicomweb


def store(orthanc: str, *films: bytes) -> None:
    for film in films:
        Orthanc(orthanc.removesuffix("/dicom-web")).stow(film).raise_for_status()


def renamed(file: bytes, place: int, **elements: object) -> bytes:
    """The file as another instance of another study, so that each test has its own."""
    dataset = pydicom.dcmread(BytesIO(file))
    uids = {"SOPInstanceUID": f"1.2.40.{place}.3", "StudyInstanceUID": f"1.2.40.{place}.1"}
    for keyword, value in {**uids, "SeriesInstanceUID": f"1.2.40.{place}.2", **elements}.items():
        setattr(dataset, keyword, value)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    buffer = BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


def chart_with(orthanc: str, place: int, **changes: object) -> Chart:
    """A chart with the study that `renamed` makes, which lists its instance."""
    listed = study(
        series(uid=f"1.2.40.{place}.2", instance=[{"uid": f"1.2.40.{place}.3"}]),
        identifier=[{"system": "urn:dicom:uid", "value": f"urn:oid:1.2.40.{place}.1"}],
    )
    return Chart(patient(), studies=({**listed, **changes},), endpoints=(endpoint(address=orthanc),))


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


# Orthanc does not store implicit VR files as such: it would be the same test as explicit VR.
SYNTAXES = [syntax for syntax in (*LOSSLESS, *LOSSY) if syntax != ImplicitVRLittleEndian]


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
async def test_film_in_every_transfer_syntax_comes_back_as_it_was_stored(
    orthanc: str, web: DicomWeb, syntax: UID
) -> None:
    """Stored by STOW-RS in each transfer syntax and read by WADO-RS, the film is what the file shows."""
    place = 100 + SYNTAXES.index(syntax)
    film = renamed(file_in(syntax, bits_of(syntax)[-1]), place)
    store(orthanc, film)

    (found,), gaps = await read_films(chart_with(orthanc, place), None, web, soon())

    assert (np.array_equal(found.pixels, decode_film(film).pixels), gaps) == (True, ())


async def test_study_that_lists_nothing_is_searched(orthanc: str, web: DicomWeb) -> None:
    """Of lateral view, report and two frontal films in the archive, the larger frontal film is found by QIDO-RS."""
    others = {
        "1.2.40.7.11": {"ViewPosition": "LL"},
        "1.2.40.7.12": {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.11", "Modality": "CR"},
        "1.2.40.7.13": {},
    }
    store(orthanc, *(renamed(dicom_file(), 7, SOPInstanceUID=uid, **elements) for uid, elements in others.items()))
    large = renamed(dicom_file(np.tile(ramp(), (2, 2))), 7)
    store(orthanc, large)

    (found,), gaps = await read_films(chart_with(orthanc, 7, series=None, modality=[{"code": "CR"}]), None, web, soon())

    assert (found.file is not None and found.file.instance, gaps) == ("1.2.40.7.3", ())
    assert np.array_equal(found.pixels, decode_film(large).pixels)


async def test_study_the_archive_does_not_know_is_a_gap(orthanc: str, web: DicomWeb) -> None:
    """A search that finds nothing ends, and the record says that no image is listed."""
    films, (gap,) = await read_films(chart_with(orthanc, 999, series=[series(instance=None)]), None, web, soon())

    assert (films, gap.detail) == ((), "the imaging study does not list its images")


async def test_lateral_only_study_says_so(orthanc: str, web: DicomWeb) -> None:
    """What the archive knows of the views becomes the reason."""
    store(orthanc, renamed(dicom_file(ViewPosition="LL"), 8))

    films, (gap,) = await read_films(chart_with(orthanc, 8, series=[series(instance=None)]), None, web, soon())

    assert (films, gap.detail) == ((), "no frontal view of the chest is on file")


@pytest.mark.parametrize(("limit", "rendered"), [(8700, False), (6000, True)], ids=["a frame", "a rendering"])
async def test_file_beyond_the_limit_comes_otherwise(orthanc: str, limit: int, *, rendered: bool) -> None:
    """Where the file is too large, Orthanc's frame is taken; where that is too large as well, its rendering."""
    film = renamed(dicom_file(), 9)
    store(orthanc, film)
    settings = FhirSettings(allowed_servers=(orthanc,), max_image_bytes=limit)

    async with open_http(settings) as http:
        (found,), gaps = await read_films(chart_with(orthanc, 9), None, DicomWeb(http, settings), soon())

    assert (found.rendered, len(gaps)) == (rendered, int(rendered))
    assert found.pixels == pytest.approx(decode_film(film).pixels, abs=0.02 if rendered else 0)


@pytest.mark.parametrize("number", [None, 3])
async def test_frame_of_a_large_file_is_the_representative_one(orthanc: str, number: int | None) -> None:
    """Of a file of several frames that is beyond the limit, only the frame to be shown is fetched."""
    frames = np.stack([np.roll(ramp(), 900 * place) for place in range(4)])
    stated = {} if number is None else {"RepresentativeFrameNumber": number}
    film = renamed(dicom_file(frames, NumberOfFrames=4, Rows=64, Columns=64, **stated), 10 if number else 11)
    store(orthanc, film)
    settings = FhirSettings(allowed_servers=(orthanc,), max_image_bytes=9000)

    async with open_http(settings) as http:
        chart = chart_with(orthanc, 10 if number else 11)
        (found,), gaps = await read_films(chart, None, DicomWeb(http, settings), soon())

    assert (np.array_equal(found.pixels, decode_film(film).pixels), gaps) == (True, ())
