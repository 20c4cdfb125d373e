"""Address of a film -> its picture: the whole file, else its frame, else what the archive renders of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import (
    FhirError,
    FhirGone,
    FhirMalformed,
    FhirRefused,
    FhirRejected,
    FhirTimeout,
    PixelsUndecodable,
)
from fhir_adapter.images.dicomweb import DicomWeb
from fhir_adapter.images.qido import Row, text_of
from fhir_adapter.images.studies import FilmAddress

if TYPE_CHECKING:
    from fhir_adapter.images.dicom import DicomFilm

_OTHERWISE: Final = (PixelsUndecodable, FhirMalformed, FhirRejected, FhirRefused)
"""After these another way to the pixels is worth a try; a file that is not there, or a silent archive, stays so."""
_UPRIGHT: Final = ["L", "F"]
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Retrieved:
    """A decoded film and how it was had.

    Attributes:
        film: picture and header; lettering is painted over already.
        rendered: whether the archive made the picture.
        blanked: lines of lettering painted over.
    """

    film: DicomFilm
    rendered: bool
    blanked: int


async def retrieve_film(address: FilmAddress, dicomweb: DicomWeb, deadline: Deadline) -> Retrieved:
    """Fetch and decode one film.

    Raises:
        DicomUnreadable: what the archive has is no grey image that can be shown.
        FhirError: it could not be had, or is another image than was asked for.
    """
    first: FhirError | None = None
    if address.frames <= 1:
        try:
            data = await dicomweb.retrieve(address, deadline)
            return _checked(address, await in_thread(lambda: _decode(data), deadline))
        except _OTHERWISE as error:
            first = error
    try:
        return await _piecewise(address, dicomweb, deadline, with_frame=not isinstance(first, PixelsUndecodable))
    except FhirError as error:
        # The reason that counts is why the film itself could not be had, not why the makeshift failed.
        raise first or error from None


async def in_thread(work: Callable[[], _Result], deadline: Deadline) -> _Result:
    """Run CPU work beside the event loop; what is not ready in time is left behind.

    Raises:
        FhirTimeout: the deadline passed.
    """
    try:
        async with asyncio.timeout(deadline.remaining()):
            return await asyncio.to_thread(work)
    except TimeoutError:
        raise FhirTimeout("the image") from None


async def _piecewise(address: FilmAddress, dicomweb: DicomWeb, deadline: Deadline, *, with_frame: bool) -> Retrieved:
    """Read the metadata, and then the frame or the rendering."""
    metadata = await dicomweb.metadata(address, deadline)
    # Identity first: a rendering says nothing of what it shows.
    if (text_of(metadata, "0020000D"), text_of(metadata, "00080018")) != (address.study, address.instance):
        raise FhirMalformed("the image", "the archive sent another instance than was asked for")
    if with_frame:
        try:
            frame, syntax = await dicomweb.frame(address, _frame_number(metadata), deadline)
            return _checked(address, await in_thread(lambda: _decode_frame(metadata, frame, syntax), deadline))
        except (*_OTHERWISE, FhirGone):
            # Some archives have no address for single frames.
            pass
    if not _may_be_upright(metadata):
        raise PixelsUndecodable("it can only be had as a rendering, and does not say that it stands upright")
    picture = await dicomweb.rendered(address, deadline)
    found = _checked(address, await in_thread(lambda: _decode_rendered(metadata, picture), deadline))
    return replace(found, rendered=True)


def _may_be_upright(metadata: Row) -> bool:
    """Whether Patient Orientation (0020,0020) says upright or nothing; what cannot be read says something."""
    element = metadata.get("00200020") or {}
    values = element.get("Value") if isinstance(element, dict) else element
    return not values or values == _UPRIGHT


def _frame_number(metadata: Row) -> int:
    number = text_of(metadata, "00286010")
    return int(number) if number.isascii() and number.isdigit() and 0 < int(number) < 10_000 else 1


def _checked(address: FilmAddress, found: Retrieved) -> Retrieved:
    file = found.film.file
    if file.instance != address.instance:
        raise FhirMalformed("the image", "the archive sent another instance than was asked for")
    if address.patient_id and file.patient_id and file.patient_id != address.patient_id:
        raise FhirMalformed("the image", "the file names another patient than the archive's index")
    return found


# pydicom takes 0.1 s to import, and a process that only answers hooks never decodes.


def _decode(data: bytes) -> Retrieved:
    from fhir_adapter.images.dicom import decode_film  # noqa: PLC0415

    return without_lettering(decode_film(data))


def _decode_frame(metadata: Row, frame: bytes, syntax: str) -> Retrieved:
    from fhir_adapter.images.dicom import decode_frame  # noqa: PLC0415

    return without_lettering(decode_frame(metadata, frame, syntax))


def _decode_rendered(metadata: Row, picture: bytes) -> Retrieved:
    from fhir_adapter.images.dicom import describe  # noqa: PLC0415
    from fhir_adapter.images.pictures import decode_picture  # noqa: PLC0415

    return without_lettering(describe(metadata, decode_picture(picture)))


def without_lettering(film: DicomFilm) -> Retrieved:
    """Paint over the lettering of a decoded film."""
    from fhir_adapter.images.lettering import find_lettering, paint_over  # noqa: PLC0415

    boxes = find_lettering(film.pixels)
    return Retrieved(replace(film, pixels=paint_over(film.pixels, boxes)), rendered=False, blanked=len(boxes))
