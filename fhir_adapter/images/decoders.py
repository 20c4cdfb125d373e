"""One frame of a DICOM data set -> its stored values, by a decoder that damaged data do not bring down.

Each transfer syntax has one decoder (docs/images.md): those that ran in our process survived thousands of damaged
frames; GDCM did not, and has a process of its own. Sizes are agreed before any decoder sees the data.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels.utils import pixel_array
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from fhir_adapter.errors import DicomUnreadable, PixelsUndecodable
from fhir_adapter.images.codestream import read_claim
from fhir_adapter.images.rle import decode_rle

Stored = npt.NDArray[np.generic]
_PLUGINS: Final = {
    JPEGBaseline8Bit: "pillow",
    JPEGExtended12Bit: "pillow",
    JPEG2000Lossless: "pylibjpeg",
    JPEG2000: "pylibjpeg",
    HTJ2KLossless: "pylibjpeg",
    HTJ2KLosslessRPCL: "pylibjpeg",
    HTJ2K: "pylibjpeg",
}
_APART: Final = frozenset({JPEGLossless, JPEGLosslessSV1, JPEGLSLossless, JPEGLSNearLossless})
_CHILD: Final = Path(__file__).with_name("gdcm_child.py")
_CHILD_S: Final = 15.0
_DEEPEST_IN_JPEG: Final = 8


def stored_frame(dataset: pydicom.Dataset, index: int) -> Stored:
    """Return one frame: (rows, columns) or (rows, columns, 3), as it is stored, colour turned to RGB.

    The shape has been checked by the caller (`dicom`).

    Raises:
        DicomUnreadable: the compressed data claim another picture than the header.
        PixelsUndecodable: no decoder here knows the compression, or this one's data.
        Exception: what pydicom raises for damaged data.
    """
    syntax = dataset.file_meta.TransferSyntaxUID
    if not syntax.is_compressed:
        return np.asarray(pixel_array(dataset, index=index))
    frames = int(dataset.get("NumberOfFrames") or 1)
    code = get_frame(dataset.PixelData, index, number_of_frames=frames)
    if syntax == RLELossless:
        return _from_rle(dataset, code)
    _check_claim(dataset, code)
    if syntax in _APART:
        return _decode_apart(dataset, code)
    plugin = _PLUGINS.get(syntax)
    if plugin is None or (syntax == JPEGExtended12Bit and dataset.BitsStored > _DEEPEST_IN_JPEG):
        raise PixelsUndecodable("it is compressed in a way that is not read here")
    try:
        return np.asarray(pixel_array(_of_one_frame(dataset, code), index=0, decoding_plugin=plugin))
    except (RuntimeError, ValueError, OSError):
        raise PixelsUndecodable("its compressed picture is damaged") from None


def _check_claim(dataset: pydicom.Dataset, code: bytes) -> None:
    claim = read_claim(code)
    if claim is None:
        raise PixelsUndecodable("its compressed picture is damaged")
    if (claim.rows, claim.columns, claim.components) != (dataset.Rows, dataset.Columns, dataset.SamplesPerPixel):
        raise DicomUnreadable("its compressed picture has another size than its header says")


def _of_one_frame(dataset: pydicom.Dataset, code: bytes) -> pydicom.Dataset:
    """Return the data set with the frame that was checked, so that the decoder cannot pick other bytes."""
    one = pydicom.Dataset({tag: element for tag, element in dataset.items() if tag.group == 0x0028})
    one.file_meta = dataset.file_meta
    one.NumberOfFrames = 1
    one.PixelData = encapsulate([code])
    one["PixelData"].VR = "OB"
    return one


def _from_rle(dataset: pydicom.Dataset, code: bytes) -> Stored:
    rows, columns, depth = dataset.Rows, dataset.Columns, dataset.BitsAllocated // 8
    planes = decode_rle(code, rows * columns, depth)
    if len(planes) != dataset.SamplesPerPixel:
        raise DicomUnreadable("its compressed picture has another size than its header says")
    stacked = planes.reshape(-1, rows, columns)
    signed = stacked.view(f"i{depth}") if dataset.PixelRepresentation else stacked
    return signed[0] if len(signed) == 1 else np.moveaxis(signed, 0, -1)


def _decode_apart(dataset: pydicom.Dataset, code: bytes) -> Stored:
    syntax: UID = dataset.file_meta.TransferSyntaxUID
    allocated = dataset.BitsAllocated
    if dataset.SamplesPerPixel != 1:
        raise PixelsUndecodable("it is a colour picture compressed in a way that is not read here")
    numbers = (dataset.Rows, dataset.Columns, allocated, dataset.BitsStored, dataset.PixelRepresentation)
    arguments = [str(syntax), str(dataset.PhotometricInterpretation), *(str(int(number)) for number in numbers)]
    command = [sys.executable, "-I", str(_CHILD), *arguments]
    try:
        done = subprocess.run(command, input=code, capture_output=True, timeout=_CHILD_S, check=True)  # noqa: S603
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        raise PixelsUndecodable("its compressed picture is damaged") from None
    kind = np.dtype(f"<{'i' if dataset.PixelRepresentation else 'u'}{allocated // 8}")
    if len(done.stdout) < dataset.Rows * dataset.Columns * kind.itemsize:
        raise PixelsUndecodable("its compressed picture is damaged")
    count = dataset.Rows * dataset.Columns
    return np.frombuffer(done.stdout, dtype=kind, count=count).reshape(dataset.Rows, dataset.Columns)
