"""Bytes of a DICOM file -> the picture and the few words about it that a model or a clinician needs.

Of the person the patient ID alone is read, by which an archive files a picture made from this one (`FilmFile`). All
else in the file (names, other numbers, dates of birth) is not.
"""

from __future__ import annotations

import logging
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from io import BytesIO
from typing import Final

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.pixels.processing import apply_modality_lut
from pydicom.pixels.utils import pixel_array
from pydicom.uid import JPEGBaseline8Bit, JPEGExtended12Bit
from pydicom.valuerep import DA, TM

from fhir_adapter.errors import DicomUnreadable
from fhir_adapter.images.grey import FloatArray, Table, Window, to_grey
from fhir_adapter.record import FilmFile

# pydicom quotes what it finds odd in warnings and logs: names and birth dates among it. We check what we read.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)

MAX_PIXELS: Final = 64 * 10**6
"""A 60 x 60 cm detector at 0.1 mm has 36 million; a header may claim four thousand million."""
_SMALLEST_SIDE: Final = 32
_DEEPEST_BITS: Final = 16
_ALLOCATED: Final = (8, 16)
_LOSSY: Final = (JPEGBaseline8Bit, JPEGExtended12Bit)
"""Transfer syntaxes that are lossy always; JPEG-LS near lossless and JPEG 2000 say so in (0028,2110)."""
_BROKEN: Final = (
    InvalidDicomError,
    BytesLengthException,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)
"""What pydicom and its decoders raise for damaged files; they promise no common base."""


@dataclass(frozen=True, slots=True)
class DicomFilm:
    """A picture as `record.Film` wants it, and what the file says of it.

    Attributes:
        pixels: float32 (height, width), grey 0..1, bone white.
        view, modality, body_part: DICOM (0018,5101), (0008,0060), (0018,0015); empty where not stated.
        acquired_at: when the film was exposed, or None where the file does not say.
        file: its identity in the archive; the instance tells that the right file came.
    """

    pixels: FloatArray
    view: str
    modality: str
    body_part: str
    acquired_at: datetime | None
    file: FilmFile


def decode_film(data: bytes) -> DicomFilm:
    """Read the first frame of a grey image; CPU work of up to a second for a compressed one.

    Raises:
        DicomUnreadable: not DICOM, damaged, not grey, of a depth or size outside the usual, or compressed in a way
            that no installed decoder knows.
    """
    try:
        dataset = pydicom.dcmread(BytesIO(data))
        _check_shape(dataset)
        # A rescale slope may be any number; what overflows is refused at the end.
        with np.errstate(all="ignore"):
            pixels = _pixels(dataset)
        return DicomFilm(
            pixels=pixels,
            view=_word(dataset, "ViewPosition"),
            modality=_word(dataset, "Modality"),
            body_part=_word(dataset, "BodyPartExamined"),
            acquired_at=_acquired_at(dataset),
            file=_file(dataset),
        )
    except _BROKEN as error:
        # The cause may quote the file's header: it is not chained, only its kind is told.
        raise DicomUnreadable(f"it is damaged or of an unknown kind ({type(error).__name__})") from None


def _check_shape(dataset: pydicom.Dataset) -> None:
    if dataset.SamplesPerPixel != 1 or dataset.PhotometricInterpretation not in ("MONOCHROME1", "MONOCHROME2"):
        raise DicomUnreadable("it is not a grey image")
    if dataset.BitsAllocated not in _ALLOCATED or not 8 <= dataset.BitsStored <= _DEEPEST_BITS:
        raise DicomUnreadable("its pixels have neither 8 nor 16 bits")
    if min(dataset.Rows, dataset.Columns) < _SMALLEST_SIDE or dataset.Rows * dataset.Columns > MAX_PIXELS:
        raise DicomUnreadable("its size is not that of a radiograph")


def _pixels(dataset: pydicom.Dataset) -> FloatArray:
    stored = pixel_array(dataset, index=0)
    padding = _padding(dataset, stored)
    grey: FloatArray
    values = apply_modality_lut(stored, dataset)
    if dataset.get("VOILUTSequence"):
        grey = _table(dataset.VOILUTSequence[0]).apply(values)
    else:
        full = 255.0 if dataset.BitsStored == _ALLOCATED[0] and values is stored else 0.0
        grey = to_grey(values.astype(np.float32), padding, _window(dataset), full)
    # MONOCHROME1 means that the lowest value is white.
    grey = 1 - grey if dataset.PhotometricInterpretation == "MONOCHROME1" else grey
    if not np.isfinite(grey).all():
        raise DicomUnreadable("its rescale values are no numbers")
    if padding is not None:
        grey[padding] = 0
    return np.ascontiguousarray(grey, dtype=np.float32)


def _padding(dataset: pydicom.Dataset, stored: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_] | None:
    """Return where pixels are no part of the picture (PS3.3 C.7.5.1.1.2), or None."""
    if dataset.get("PixelPaddingValue") is None:
        return None
    limits = sorted((dataset.PixelPaddingValue, dataset.get("PixelPaddingRangeLimit", dataset.PixelPaddingValue)))
    return np.asarray((stored >= limits[0]) & (stored <= limits[1]), dtype=np.bool_)


def _table(item: pydicom.Dataset) -> Table:
    # pydicom's own apply_voi counts places in 8 bits where entries have 8, and wraps around.
    count, first, bits = item.LUTDescriptor
    data = item.LUTData
    if isinstance(data, bytes):
        # Entries of 8 bits may be packed, or take a word each.
        data = np.frombuffer(data, dtype="<u2" if len(data) >= 2 * (count or 2**16) else np.uint8)
    entries = np.asarray(data, dtype=np.uint16)
    if not 8 <= bits <= _DEEPEST_BITS or not entries.size:
        raise DicomUnreadable("its lookup table is damaged")
    return Table(entries[: count or 2**16], int(first), int(bits))


def _window(dataset: pydicom.Dataset) -> Window | None:
    centers, widths = dataset.get("WindowCenter"), dataset.get("WindowWidth")
    if centers is None or widths is None:
        return None
    # Several windows are alternatives; the first is the one to show (PS3.3 C.11.2.1.2).
    return Window(_first(centers), _first(widths), str(dataset.get("VOILUTFunction", "") or "LINEAR"))


def _first(value: object) -> float:
    return float(value[0] if isinstance(value, pydicom.multival.MultiValue) else value)  # type: ignore[arg-type]


def _word(dataset: pydicom.Dataset, keyword: str) -> str:
    return _text(dataset, keyword).upper()


def _text(dataset: pydicom.Dataset, keyword: str) -> str:
    return str(dataset.get(keyword) or "").strip()


def _file(dataset: pydicom.Dataset) -> FilmFile:
    return FilmFile(
        study=_text(dataset, "StudyInstanceUID"),
        series=_text(dataset, "SeriesInstanceUID"),
        instance=_text(dataset, "SOPInstanceUID"),
        sop_class=_text(dataset, "SOPClassUID"),
        patient_id=_text(dataset, "PatientID"),
        issuer=_text(dataset, "IssuerOfPatientID"),
        lossy=_text(dataset, "LossyImageCompression") == "01" or dataset.file_meta.TransferSyntaxUID in _LOSSY,
        burned_in=_word(dataset, "BurnedInAnnotation"),
    )


def _acquired_at(dataset: pydicom.Dataset) -> datetime | None:
    """Return the moment of exposure; study and series dates are left to FHIR, which has them with a zone."""
    text = str(dataset.get("AcquisitionDateTime") or "")
    if text:
        moment = pydicom.valuerep.DT(text)
        return moment.replace(tzinfo=moment.tzinfo or _zone(dataset))
    day, hour = dataset.get("AcquisitionDate"), dataset.get("AcquisitionTime")
    if not day or not hour:
        return None
    return datetime.combine(DA(day), TM(hour), tzinfo=_zone(dataset))


def _zone(dataset: pydicom.Dataset) -> tzinfo:
    """Read TimezoneOffsetFromUTC (0008,0201), such as -0400; UTC where it is not stated."""
    text = str(dataset.get("TimezoneOffsetFromUTC") or "+0000")
    minutes = int(text[-4:-2]) * 60 + int(text[-2:])
    return timezone(timedelta(minutes=-minutes if text.startswith("-") else minutes)) if minutes else UTC
