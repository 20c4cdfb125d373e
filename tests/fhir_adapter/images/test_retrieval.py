"""The ways to a film's pixels, with an archive that can be told what to refuse."""

from io import BytesIO
from typing import Any

import httpx
import numpy as np
import orjson
import pydicom
import pytest
from PIL import Image
from pydicom.uid import JPEGExtended12Bit, JPEGLossless

from fhir_adapter.errors import DicomUnreadable, FhirError, FhirGone, FhirMalformed, FhirRefused, PixelsUndecodable
from fhir_adapter.images.dicom import decode_film
from fhir_adapter.images.dicomweb import DicomWeb
from fhir_adapter.images.retrieval import Retrieved, retrieve_film
from fhir_adapter.images.studies import FilmAddress
from fhir_adapter.record import Source
from tests.fhir_adapter.builders import (
    ARCHIVE,
    FILM_UID,
    SERIES_UID,
    STUDY_UID,
    answer,
    dicom_file,
    multipart,
    ramp,
    settings,
    soon,
)
from tests.fhir_adapter.images.encoders import code_of, file_in

REFUSED = answer(b"", 406)


def metadata_of(file: bytes, **elements: Any) -> httpx.Response:
    """The header as DICOM JSON."""
    dataset = pydicom.dcmread(BytesIO(file), stop_before_pixels=True)
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return answer(orjson.dumps([dataset.to_json_dict()]), content_type="application/dicom+json")


def png(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> httpx.Response:
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return answer(buffer.getvalue(), content_type="image/png")


GREY = ramp(255, "uint8").astype(np.uint8)
RENDERED = png(GREY)


class Archive:
    """Answers by the last segment of the path: the instance's UID, `metadata`, a frame's number or `rendered`."""

    def __init__(self, **answers: httpx.Response) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        last = request.url.path.rpartition("/")[2]
        name = "whole" if last == FILM_UID else f"frame{last}" if last.isdigit() else last
        self.asked.append(name)
        return self.answers.get(name, answer(b"", 404))


async def retrieve(archive: Archive, frames: int = 1, patient_id: str = "", **changes: Any) -> Retrieved:
    address = FilmAddress(
        (ARCHIVE,), STUDY_UID, SERIES_UID, FILM_UID, None, Source("ImagingStudy/s", "1"), frames, patient_id
    )
    http = httpx.AsyncClient(transport=httpx.MockTransport(archive))
    return await retrieve_film(address, DicomWeb(http, settings(**changes)), soon())


def frame_answer(code: bytes, kind: str) -> httpx.Response:
    body = f"--b\r\nContent-Type: {kind}\r\n\r\n".encode() + code + b"\r\n--b--\r\n"
    return answer(body, content_type='multipart/related; type="application/octet-stream"; boundary=b')


async def test_whole_file_is_the_first_way() -> None:
    """Where the file can be read, one request is all."""
    archive = Archive(whole=multipart(dicom_file()))

    assert not (await retrieve(archive)).rendered
    assert archive.asked == ["whole"]


@pytest.mark.parametrize(
    ("code", "kind", "file"),
    [
        (ramp().tobytes(), "application/octet-stream", dicom_file()),
        (ramp().tobytes(), "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1", dicom_file()),
        (code_of(JPEGLossless), "image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.57", file_in(JPEGLossless)),
        (code_of(JPEGLossless), "image/jpeg", file_in(JPEGLossless)),
    ],
    ids=["native", "native, named", "compressed, named", "compressed, by its media type"],
)
async def test_frame_is_asked_for_where_the_file_is_refused(code: bytes, kind: str, file: bytes) -> None:
    """Header and frame together are the same film as the file."""
    archive = Archive(whole=REFUSED, metadata=metadata_of(file), frame1=frame_answer(code, kind))

    found = await retrieve(archive)

    assert np.array_equal(found.film.pixels, decode_film(file).pixels)
    assert archive.asked == ["whole", "metadata", "frame1"]


async def test_file_beyond_the_limit_comes_as_a_frame() -> None:
    """A file with hundreds of frames need not be fetched for one of them."""
    pixels = ramp()
    large = dicom_file(np.stack([pixels] * 9), NumberOfFrames=9, Rows=64, Columns=64)
    frame = frame_answer(pixels.tobytes(), "application/octet-stream")

    found = await retrieve(
        Archive(whole=multipart(large), metadata=metadata_of(large), frame1=frame), max_image_bytes=20_000
    )

    assert np.array_equal(found.film.pixels, decode_film(large).pixels)


async def test_representative_frame_is_asked_for() -> None:
    """Of a file that the archive says to have several frames, the representative one is fetched alone."""
    meta = metadata_of(dicom_file(), NumberOfFrames=9, RepresentativeFrameNumber=4)
    archive = Archive(metadata=meta, frame4=frame_answer(ramp().tobytes(), "application/octet-stream"))

    await retrieve(archive, frames=9)

    assert archive.asked == ["metadata", "frame4"]


async def test_rendering_is_used_where_pixels_cannot_be_decoded() -> None:
    """What no decoder here knows is rendered by the archive, and the film says so and keeps its header."""
    archive = Archive(
        whole=multipart(file_in(JPEGExtended12Bit)), metadata=metadata_of(file_in(JPEGExtended12Bit)), rendered=RENDERED
    )

    found = await retrieve(archive)

    assert (found.rendered, found.film.view, archive.asked) == (True, "AP", ["whole", "metadata", "rendered"])
    assert np.array_equal(np.rint(found.film.pixels * 255), GREY)


async def test_rendering_is_not_inverted_again() -> None:
    """The archive has applied MONOCHROME1 already."""
    meta = metadata_of(dicom_file(), PhotometricInterpretation="MONOCHROME1")

    found = await retrieve(Archive(whole=REFUSED, metadata=meta, rendered=RENDERED))

    assert np.array_equal(np.rint(found.film.pixels * 255), GREY)


@pytest.mark.parametrize(
    ("elements", "error"),
    [
        ({"SOPInstanceUID": "9.9"}, FhirRefused),
        ({"StudyInstanceUID": "9.9"}, FhirRefused),
        ({"PatientOrientation": ["R", "F"]}, FhirRefused),
    ],
)
async def test_rendering_of_unknown_identity_or_orientation_is_not_used(
    elements: dict[str, Any], error: type[FhirError]
) -> None:
    """A rendering carries no header: identity and orientation must be known from the metadata."""
    archive = Archive(whole=answer(b"", 403), metadata=metadata_of(dicom_file(), **elements), rendered=RENDERED)

    with pytest.raises(error):
        await retrieve(archive)
    assert "rendered" not in archive.asked


@pytest.mark.parametrize(
    "orientation",
    ["x", ["x"], 7, {"vr": "CS", "Value": 7}, {"vr": "CS", "Value": "LF"}, {"vr": "CS", "Value": {"L": "F"}}],
)
async def test_orientation_that_cannot_be_read_is_not_taken_as_upright(orientation: object) -> None:
    """DICOM JSON of a wrong shape is an error of the archive's like any other, and no rendering is asked for."""
    meta = orjson.loads(metadata_of(dicom_file()).content)[0] | {"00200020": orientation}
    archive = Archive(
        whole=REFUSED, metadata=answer(orjson.dumps([meta]), content_type="application/dicom+json"), rendered=RENDERED
    )

    with pytest.raises(FhirError):
        await retrieve(archive)
    assert "rendered" not in archive.asked


@pytest.mark.parametrize(
    ("whole", "error"),
    [(answer(b"", 404), FhirGone), (multipart(dicom_file(SOPInstanceUID="9.9")), FhirMalformed)],
)
async def test_reason_is_that_of_the_film_itself(whole: httpx.Response, error: type[FhirError]) -> None:
    """Where the makeshift fails as well, what was wrong with the film is told."""
    with pytest.raises(error):
        await retrieve(Archive(whole=whole))


@pytest.mark.parametrize(
    "whole",
    [multipart(dicom_file(Rows=65_000, Columns=65_000)), multipart(dicom_file(SamplesPerPixel=3)), multipart(b"x")],
)
async def test_film_that_is_none_is_not_rendered(whole: httpx.Response) -> None:
    """A bomb, a colour picture or a damaged file is refused: another way to it would lead to the same."""
    archive = Archive(whole=whole, metadata=metadata_of(dicom_file()), rendered=RENDERED)

    with pytest.raises(DicomUnreadable):
        await retrieve(archive)
    assert archive.asked == ["whole"]


async def test_undecodable_film_without_a_rendering_says_why() -> None:
    """Where the archive renders nothing either, the compression is the reason."""
    file = file_in(JPEGExtended12Bit)

    with pytest.raises(PixelsUndecodable, match="not read here"):
        await retrieve(Archive(whole=multipart(file), metadata=metadata_of(file)))


@pytest.mark.parametrize(("patient_id", "fits"), [("secret-7", True), ("", True), ("somebody", False)])
async def test_file_must_be_of_the_patient_that_the_index_names(patient_id: str, *, fits: bool) -> None:
    """Index and file of an archive that name two patients are not to be trusted."""
    archive = Archive(whole=multipart(dicom_file()))

    if fits:
        assert (await retrieve(archive, patient_id=patient_id)).film.view == "AP"
    else:
        with pytest.raises(FhirMalformed, match="another patient"):
            await retrieve(archive, patient_id=patient_id)
