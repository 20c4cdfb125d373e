"""One picture as a DICOM file in every transfer syntax that is read, made by encoders that are not ours."""

from __future__ import annotations

import tempfile
from io import BytesIO
from pathlib import Path

import gdcm  # type: ignore[import-untyped]
import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.encaps import encapsulate, get_frame
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from tests.fhir_adapter.builders import dicom_file

LOSSLESS = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEG2000Lossless,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
)
HTJ2K_SYNTAXES = (HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K)
LOSSY = (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless, JPEG2000, HTJ2K)
_GDCM = {
    JPEGBaseline8Bit: gdcm.TransferSyntax.JPEGBaselineProcess1,
    JPEGExtended12Bit: gdcm.TransferSyntax.JPEGExtendedProcess2_4,
    JPEGLossless: gdcm.TransferSyntax.JPEGLosslessProcess14,
    JPEGLosslessSV1: gdcm.TransferSyntax.JPEGLosslessProcess14_1,
    JPEGLSLossless: gdcm.TransferSyntax.JPEGLSLossless,
    JPEGLSNearLossless: gdcm.TransferSyntax.JPEGLSNearLossless,
}
_STORED = {HTJ2KLossless: "htj2k-lossless.j2c", HTJ2KLosslessRPCL: "htj2k-lossless-rpcl.j2c", HTJ2K: "htj2k-lossy.j2c"}
_FOLDER = Path(__file__).parent / "data"


def picture(bits: int = 12, shape: tuple[int, int] = (70, 61)) -> npt.NDArray[np.uint16]:
    """A smooth picture of odd width with an edge in it, always the same, that uses nearly the whole range."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    waves = 0.5 + 0.4 * np.sin(x / 9) * np.cos(y / 13) + 0.08 * (x > shape[1] // 2)
    return np.asarray(np.rint(waves * (2**bits - 1)), dtype=np.uint16)


def file_in(syntax: UID, bits: int = 12) -> bytes:
    """Return `picture(bits)` in one transfer syntax; the three HTJ2K ones exist in 16 bits only."""
    deep = picture(bits)
    plain = dicom_file(deep if bits > 8 else deep.astype(np.uint8), bits)
    if syntax in _GDCM:
        return _by_gdcm(plain, _GDCM[syntax])
    dataset = pydicom.dcmread(BytesIO(plain))
    if syntax in _STORED:
        dataset.PixelData = encapsulate([(_FOLDER / _STORED[syntax]).read_bytes()])
        dataset.file_meta.TransferSyntaxUID = syntax
    elif syntax == JPEG2000:
        dataset.compress(syntax, j2k_cr=[8])
    elif syntax.is_encapsulated:
        dataset.compress(syntax)
    elif syntax == ExplicitVRBigEndian:
        dataset.PixelData = deep.astype(">u2" if bits > 8 else "u1").tobytes()
    return _saved(dataset, syntax)


def _saved(dataset: pydicom.Dataset, syntax: UID) -> bytes:
    dataset["PixelData"].VR = "OB" if dataset.BitsAllocated == 8 or syntax.is_encapsulated else "OW"
    # A fresh data set, because pydicom does not turn one that it has read from little to big endian.
    fresh = pydicom.Dataset(dict(dataset.items()))
    fresh.file_meta = dataset.file_meta
    fresh.file_meta.TransferSyntaxUID = syntax
    buffer = BytesIO()
    pydicom.dcmwrite(buffer, fresh, enforce_file_format=True)
    return buffer.getvalue()


def _by_gdcm(plain: bytes, syntax: int) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "a.dcm"), Path(folder, "b.dcm")
        source.write_bytes(plain)
        reader = gdcm.ImageReader()
        reader.SetFileName(str(source))
        assert reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(syntax))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer = gdcm.ImageWriter()
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        writer.SetFileName(str(target))
        assert writer.Write()
        return target.read_bytes()


def code_of(syntax: UID, bits: int = 12) -> bytes:
    """Return the compressed frame itself."""
    dataset = pydicom.dcmread(BytesIO(file_in(syntax, bits)))
    return get_frame(dataset.PixelData, 0, number_of_frames=1)
