from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from uuid import UUID

import httpx
import numpy as np
import pydicom
import pytest
from PIL import Image

from explain.dicom_capture import Capture, NotFiledError, burned_in, secondary_capture
from explain.evidence import ImageEvidence
from fhir_adapter.images.dicom import decode_film
from fhir_adapter.record import FilmFile
from tests.explain import examples, marked
from tests.fhir_adapter.builders import FILM_UID, SERIES_UID, STUDY_UID, dicom_file
from tests.orthanc import Orthanc, orthanc_server, why_no_orthanc

JOB = UUID("0b5d3a4e-7f0c-4f0e-8a55-1b0c6a2d9e77")
FILE = decode_film(dicom_file(IssuerOfPatientID="ward")).file


def image() -> ImageEvidence:
    evidence = marked.explained()[1].image
    assert evidence is not None
    return evidence


def capture(**changes: Any) -> Capture:
    whole = Capture(
        image().film_png, image().heat_png, FILE, examples.CARD, JOB, datetime(2026, 11, 24, 8, 14, tzinfo=UTC)
    )
    return replace(whole, **changes)


def read(**changes: Any) -> pydicom.Dataset:
    """Return the capture as another program reads it, strict about every value."""
    with pydicom.config.strict_reading():
        return pydicom.dcmread(BytesIO(secondary_capture(capture(**changes))))


def test_capture_is_a_secondary_capture_of_the_film() -> None:
    """It is of the class that every viewer shows, in the film's study, and names the film as its source."""
    dataset = read()
    (source,) = dataset.SourceImageSequence

    assert (dataset.file_meta.MediaStorageSOPClassUID.name, dataset.StudyInstanceUID) == (
        "Secondary Capture Image Storage",
        STUDY_UID,
    )
    assert (source.ReferencedSOPInstanceUID, source.ReferencedSOPClassUID) == (FILM_UID, FILE.sop_class)
    assert dataset.ReferencedSeriesSequence[0].SeriesInstanceUID == SERIES_UID


def test_capture_has_uids_of_its_own_that_follow_from_the_job() -> None:
    """Series and instance are new, the same at each export of a job, and others for another job."""
    first, again, other = read(), read(), read(job=UUID(int=JOB.int + 1))

    assert first.SOPInstanceUID == again.SOPInstanceUID == first.file_meta.MediaStorageSOPInstanceUID
    assert not {first.SeriesInstanceUID, first.SOPInstanceUID} & {other.SeriesInstanceUID, other.SOPInstanceUID}
    assert first.SeriesInstanceUID != SERIES_UID
    assert first.SOPInstanceUID.is_valid


def test_capture_is_filed_by_patient_id_and_holds_no_name() -> None:
    """Patient ID and issuer are the film's, since archives file by them; all else of the person is empty."""
    dataset = read()

    assert (dataset.PatientID, dataset.IssuerOfPatientID) == ("secret-7", "ward")
    assert {str(dataset[name].value or "") for name in ("PatientName", "PatientBirthDate", "PatientSex")} == {""}
    assert "secret-7" not in repr(capture())


def test_picture_is_film_heat_map_and_warning() -> None:
    """The pixels are the film with the map over it, and a strip beneath with the words, which cover nothing."""
    dataset = read()
    pixels, film = dataset.pixel_array, np.asarray(Image.open(BytesIO(image().film_png)))
    height = film.shape[0]
    colourful = np.ptp(pixels[:height].astype(int), axis=2) > 40

    assert (dataset.PhotometricInterpretation, str(pixels.dtype), pixels.shape[1:]) == (
        "RGB",
        "uint8",
        (film.shape[1], 3),
    )
    assert 0.01 < colourful.mean() < 0.5
    assert np.array_equal(pixels[:height][:60, -60:, 0], film[:60, -60:])
    assert pixels[height:].max() > 200


@pytest.mark.parametrize("size", [(40, 40), (33, 61), (1024, 800)])
def test_words_fit_any_film(size: tuple[int, int]) -> None:
    """On the smallest film as on a large one the words can be read and end before the picture does."""
    film, heat = Image.new("L", size), Image.new("RGBA", size)
    files = [BytesIO(), BytesIO()]
    film.save(files[0], "PNG")
    heat.save(files[1], "PNG")
    picture = np.asarray(burned_in(files[0].getvalue(), files[1].getvalue()))

    assert picture[size[1] :].any()
    assert not picture[:, -1].any()


@pytest.mark.parametrize("burned_in", ["YES", "NO", "", "PERHAPS"])
def test_what_the_film_says_of_its_pixels_is_kept(burned_in: str) -> None:
    """Whether names are burned in is known of the film or not at all: nothing more is claimed here."""
    dataset = read(source=replace(FILE, burned_in=burned_in))

    assert dataset.get("BurnedInAnnotation", "") == (burned_in if burned_in in ("YES", "NO") else "")


@pytest.mark.parametrize("lossy", [True, False])
def test_lossy_film_makes_a_lossy_capture(lossy: bool) -> None:  # noqa: FBT001
    """Once lossy, always lossy."""
    assert read(source=replace(FILE, lossy=lossy)).get("LossyImageCompression") == ("01" if lossy else None)


def test_capture_says_who_made_it() -> None:
    """Model, version and digest stand in the derivation and the contributing equipment."""
    dataset = read()

    assert examples.DIGEST in dataset.DerivationDescription
    assert dataset.ContributingEquipmentSequence[0].ManufacturerModelName == examples.CARD.name
    assert (dataset.ConversionType, "NOT FOR DIAGNOSTIC USE" in dataset.ImageComments) == ("WSD", True)


@pytest.mark.parametrize("source", [None, FilmFile("", "1.2", "1.3", "1.4")])
def test_film_of_no_archive_cannot_be_filed(source: FilmFile | None) -> None:
    """Without a study there is nowhere to file it: refused with what to do, and no study is made up."""
    with pytest.raises(NotFiledError, match="open the chart again"):
        secondary_capture(capture(source=source))


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    if why_no_orthanc():
        pytest.skip(why_no_orthanc())
    with orthanc_server(tmp_path_factory.mktemp("orthanc")) as orthanc:
        yield orthanc


@pytest.mark.orthanc
def test_archive_files_it_beside_the_film(orthanc: Orthanc) -> None:
    """Orthanc takes it by STOW-RS into the film's study, and keeps it once however often it comes."""
    for file in (dicom_file(IssuerOfPatientID="ward"), *[secondary_capture(capture())] * 2):
        orthanc.stow(file).raise_for_status()

    (study,) = [httpx.get(f"{orthanc.url}/studies/{one}").json() for one in httpx.get(f"{orthanc.url}/studies").json()]
    assert (study["MainDicomTags"]["StudyInstanceUID"], len(study["Series"])) == (STUDY_UID, 2)


@pytest.mark.orthanc
def test_archive_shows_it(orthanc: Orthanc) -> None:
    """The preview of the archive is a picture in colour, of the capture's size."""
    stored = orthanc.stow(secondary_capture(capture())).json()
    uid = stored["00081199"]["Value"][0]["00081155"]["Value"][0]
    (instance,) = httpx.post(f"{orthanc.url}/tools/lookup", content=uid).json()
    preview = Image.open(BytesIO(httpx.get(f"{orthanc.url}/instances/{instance['ID']}/preview").content))

    assert (preview.mode, preview.size) == ("RGB", (read().Columns, read().Rows))
    assert np.array_equal(np.asarray(preview), read().pixel_array)
