"""Bytes of a DICOM file -> the picture and the few words about it that a model or a clinician needs."""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.encaps import encapsulate
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.pixels.processing import apply_modality_lut
from pydicom.uid import UID

from fhir_adapter.errors import DicomUnreadable, ImageUnreadable
from fhir_adapter.images.choice import Facts
from fhir_adapter.images.decoders import Stored, stored_frame
from fhir_adapter.images.grey import FloatArray, Table, Window, grey_of, to_grey, with_square_pixels
from fhir_adapter.images.header import acquired_at, facts_of, file_of, word
from fhir_adapter.images.inflating import inflate
from fhir_adapter.record import FilmFile

# pydicom quotes what it finds odd in warnings and logs: names and birth dates among it. We check what we read.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)

MAX_PIXELS: Final = 40 * 10**6
"""A 60 x 60 cm detector at 0.1 mm has 36 million; a header may claim four thousand million."""
_MOST_INFLATED: Final = 2 * MAX_PIXELS + 2**20
_SMALLEST_SIDE: Final = 32
_DEEPEST_BITS: Final = 16
_ALLOCATED: Final = (8, 16)
_GREY: Final = ("MONOCHROME1", "MONOCHROME2")
_COLOUR: Final = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
_MOST_FRAMES: Final = 10_000
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
        pixels: float32 (height, width), grey 0..1, bone white, square pixels.
        view, modality, body_part: DICOM (0018,5101), (0008,0060), (0018,0015); empty where not stated.
        acquired_at: when the film was exposed, or None where the file does not say.
        file: its identity in the archive; the instance tells that the right file came.
        facts: what decides whether it is a film at all (`choice`).
    """

    pixels: FloatArray
    view: str
    modality: str
    body_part: str
    acquired_at: datetime | None
    file: FilmFile
    facts: Facts


def decode_film(data: bytes) -> DicomFilm:
    """Read the representative frame, else the first, of a grey image; CPU work of up to a second when compressed.

    Raises:
        PixelsUndecodable: the header is fine, and no decoder here gives the pixels.
        DicomUnreadable: not DICOM, damaged, not grey, of a depth or size outside the usual.
    """
    with _one_error():
        dataset = pydicom.dcmread(BytesIO(inflate(data, _MOST_INFLATED)))
        return _film(dataset, frame_index(dataset))


def decode_frame(metadata: Mapping[str, Any], frame: bytes, syntax: str) -> DicomFilm:
    """Read one frame that came without its file.

    Args:
        metadata: the instance as DICOM JSON (PS3.18 annex F), without its pixels.
        frame: the frame's bytes, compressed or not.
        syntax: UID of the transfer syntax they are in.

    Raises:
        PixelsUndecodable, DicomUnreadable: as `decode_film`.
    """
    with _one_error():
        dataset = dataset_of(metadata)
        dataset.file_meta = pydicom.dataset.FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = UID(syntax)
        dataset.NumberOfFrames = 1
        dataset.PixelData = encapsulate([frame]) if UID(syntax).is_encapsulated else frame
        dataset["PixelData"].VR = "OW"
        return _film(dataset, 0)


def describe(metadata: Mapping[str, Any], pixels: FloatArray) -> DicomFilm:
    """Join a picture that the archive rendered with what the metadata say of it.

    Raises:
        DicomUnreadable: the metadata are damaged.
    """
    with _one_error():
        return _described(dataset_of(metadata), pixels, "")


@contextmanager
def _one_error() -> Iterator[None]:
    """Turn whatever damaged data make pydicom raise into our error."""
    try:
        yield
    except DicomUnreadable:
        raise
    except ImageUnreadable as error:
        raise DicomUnreadable(error.problem) from None
    except _BROKEN as error:
        # The cause may quote the file's header: it is not chained, only its kind is told.
        raise DicomUnreadable(f"it is damaged or of an unknown kind ({type(error).__name__})") from None


def dataset_of(metadata: Mapping[str, Any]) -> pydicom.Dataset:
    """Return DICOM JSON as a data set; what lies elsewhere (BulkDataURI) is left empty."""
    return pydicom.Dataset.from_json(dict(metadata), bulk_data_uri_handler=lambda _tag, _vr, _uri: None)


def frame_index(dataset: pydicom.Dataset) -> int:
    """Return the index of the frame to show: RepresentativeFrameNumber (0028,6010), else the first."""
    frames = int(dataset.get("NumberOfFrames") or 1)
    number = int(dataset.get("RepresentativeFrameNumber") or 1)
    if not 1 <= frames <= _MOST_FRAMES:
        raise DicomUnreadable("it has more frames than a radiograph can have")
    return number - 1 if 1 <= number <= frames else 0


def _film(dataset: pydicom.Dataset, index: int) -> DicomFilm:
    _check_shape(dataset)
    # A rescale slope may be any number; what overflows is refused at the end.
    with np.errstate(all="ignore"):
        pixels = _pixels(dataset, index)
    return _described(dataset, with_square_pixels(pixels, _aspect(dataset)), dataset.file_meta.TransferSyntaxUID)


def _described(dataset: pydicom.Dataset, pixels: FloatArray, syntax: str) -> DicomFilm:
    return DicomFilm(
        pixels=pixels,
        view=word(dataset, "ViewPosition"),
        modality=word(dataset, "Modality"),
        body_part=word(dataset, "BodyPartExamined"),
        acquired_at=acquired_at(dataset),
        file=file_of(dataset, syntax),
        facts=facts_of(dataset),
    )


def _check_shape(dataset: pydicom.Dataset) -> None:
    kinds = {1: _GREY, 3: _COLOUR}.get(dataset.SamplesPerPixel, ())
    if dataset.PhotometricInterpretation not in kinds:
        raise DicomUnreadable("it is not a grey image")
    if dataset.BitsAllocated not in _ALLOCATED or not 8 <= dataset.BitsStored <= dataset.BitsAllocated:
        raise DicomUnreadable("its pixels have neither 8 nor 16 bits")
    if dataset.get("HighBit", dataset.BitsStored - 1) != dataset.BitsStored - 1:
        raise DicomUnreadable("its pixels lie in unusual bits")
    samples = dataset.Rows * dataset.Columns * dataset.SamplesPerPixel
    if min(dataset.Rows, dataset.Columns) < _SMALLEST_SIDE or samples > MAX_PIXELS:
        raise DicomUnreadable("its size is not that of a radiograph")


def _pixels(dataset: pydicom.Dataset, index: int) -> FloatArray:
    stored = _without_overlays(dataset, stored_frame(dataset, index))
    if stored.ndim == 3:
        return grey_of(stored)
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


def _without_overlays(dataset: pydicom.Dataset, stored: Stored) -> Stored:
    """Drop what old files keep in the bits above the picture (overlays, retired in PS3.5 8.1.2)."""
    spare = dataset.BitsAllocated - dataset.BitsStored
    if not spare or stored.dtype.kind != "u" or int(stored.max()) < 1 << dataset.BitsStored:
        return stored
    return np.asarray(stored & stored.dtype.type((1 << dataset.BitsStored) - 1))  # type: ignore[operator]


def _padding(dataset: pydicom.Dataset, stored: Stored) -> npt.NDArray[np.bool_] | None:
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


def _aspect(dataset: pydicom.Dataset) -> float:
    """Return the height of a pixel over its width, 1 where nothing is said (PS3.3 C.7.6.3.1.7)."""
    for keyword in ("ImagerPixelSpacing", "PixelSpacing", "PixelAspectRatio"):
        values = dataset.get(keyword)
        if values and len(values) == 2:
            high, wide = (float(value) for value in values)
            return high / wide if min(high, wide) > 0 else 1.0
    return 1.0
