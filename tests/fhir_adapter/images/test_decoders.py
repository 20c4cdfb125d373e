"""Every transfer syntax by a real encoder; then damaged frames, in a process that may die."""

import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate, get_frame
from pydicom.uid import (
    UID,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from fhir_adapter.errors import DicomUnreadable, PixelsUndecodable
from fhir_adapter.images.decoders import stored_frame
from fhir_adapter.images.dicom import decode_film
from tests.fhir_adapter.images.encoders import HTJ2K_SYNTAXES, LOSSLESS, LOSSY, code_of, file_in, picture

ROOT = Path(__file__).parents[3]
HARMED = """
import random, sys, warnings
from io import BytesIO
import pydicom
from pydicom.encaps import encapsulate, get_frame
from pydicom.uid import UID
from fhir_adapter.errors import DicomUnreadable
from fhir_adapter.images.dicom import decode_film
from tests.fhir_adapter.images.encoders import file_in
warnings.simplefilter("ignore")
syntax, bits, count = UID(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
dataset = pydicom.dcmread(BytesIO(file_in(syntax, bits)))
code = get_frame(dataset.PixelData, 0, number_of_frames=1)
chance = random.Random(7)
refused = 0
for _ in range(count):
    harmed = bytearray(code)
    for _ in range(chance.choice([1, 2, 8])):
        harmed[chance.randrange(len(harmed))] = chance.randrange(256)
    if chance.random() < 0.2:
        del harmed[chance.randrange(100, len(harmed)):]
    dataset.PixelData = encapsulate([bytes(harmed)])
    buffer = BytesIO()
    dataset.save_as(buffer)
    try:
        decode_film(buffer.getvalue())
    except DicomUnreadable:
        refused += 1
print(refused)
"""


def bits_of(syntax: UID) -> tuple[int, ...]:
    if syntax in HTJ2K_SYNTAXES:
        return (16,)
    return (8,) if syntax in (JPEGBaseline8Bit, JPEGExtended12Bit) else (8, 10, 12, 16)


def stored(file: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    return stored_frame(pydicom.dcmread(BytesIO(file)), 0)


@pytest.mark.parametrize(("syntax", "bits"), [(syntax, bits) for syntax in LOSSLESS for bits in bits_of(syntax)])
def test_lossless_picture_is_exact(syntax: UID, bits: int) -> None:
    """What was stored without loss comes back value for value, in each transfer syntax and depth."""
    assert np.array_equal(stored(file_in(syntax, bits)), picture(bits))


@pytest.mark.parametrize(("syntax", "bits"), [(syntax, bits) for syntax in LOSSY for bits in bits_of(syntax)])
def test_lossy_picture_is_nearly_the_same(syntax: UID, bits: int) -> None:
    """What was compressed with loss comes back within one percent of the range."""
    apart = np.abs(stored(file_in(syntax, bits)).astype(int) - picture(bits).astype(int))

    assert apart.max() <= 0.01 * 2**bits


def test_jpeg_of_12_bits_is_said_to_be_undecodable() -> None:
    """JPEG Extended of 12 bits has no decoder here, which is another matter than a damaged file."""
    with pytest.raises(PixelsUndecodable, match="not read here"):
        decode_film(file_in(JPEGExtended12Bit, 12))


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLosslessSV1])
@pytest.mark.parametrize("change", [{"Rows": 60}, {"Columns": 62}, {"Rows": 61, "Columns": 70}])
def test_header_and_codestream_must_agree(syntax: UID, change: dict[str, int]) -> None:
    """A compressed picture of another size than the header's is never handed to a decoder."""
    dataset = pydicom.dcmread(BytesIO(file_in(syntax)))
    for keyword, value in change.items():
        setattr(dataset, keyword, value)

    with pytest.raises(DicomUnreadable, match="another size"):
        stored_frame(dataset, 0)


def test_second_frame_of_a_compressed_file_is_found() -> None:
    """Fragments and frames are told apart in encapsulated files of several frames."""
    dataset = pydicom.dcmread(BytesIO(file_in(JPEG2000Lossless)))
    one = get_frame(dataset.PixelData, 0, number_of_frames=1)
    dataset.PixelData = encapsulate([b"\xff\x4f no picture", one])
    dataset.NumberOfFrames = 2

    assert np.array_equal(stored_frame(dataset, 1), picture())


@pytest.mark.parametrize(
    "pixels",
    [
        b"\xfe\xff\x00\xe0\xff\xff\xff\xff",
        b"\xfe\xff\x00\xe0\x04\0\0\0\xff\xff\xff\xff",
        b"\xfe\xff\x00\xe0\x04\0\0\0\0\0\0\0\xfe\xff\x00\xe0\xff\xff\xff\x7f\xff\x4f",
        b"\xfe\xff\x00\xe0\0\0\0\0" * 500,
    ],
    ids=["endless table", "offset beyond the end", "endless fragment", "empty fragments"],
)
def test_hostile_fragments_are_refused(pixels: bytes) -> None:
    """Offset tables and fragments that point anywhere end in our error."""
    dataset = pydicom.dcmread(BytesIO(file_in(JPEG2000Lossless)))
    dataset["PixelData"]._value = pixels
    buffer = BytesIO()
    pydicom.dcmwrite(buffer, dataset)

    with pytest.raises(DicomUnreadable):
        decode_film(buffer.getvalue())


@pytest.mark.parametrize(("syntax", "place", "value"), [(JPEGLosslessSV1, 6, 255), (JPEGLSLossless, 10, 0)])
def test_frame_that_ends_gdcm_is_damaged_and_no_more(syntax: UID, place: int, value: int) -> None:
    """These two frames end the process that GDCM runs in, which is not ours."""
    dataset = pydicom.dcmread(BytesIO(file_in(syntax)))
    harmed = bytearray(code_of(syntax))
    harmed[place] = value
    dataset.PixelData = encapsulate([bytes(harmed)])

    with pytest.raises(DicomUnreadable):
        stored_frame(dataset, 0)


@pytest.mark.parametrize(
    ("syntax", "bits", "count"),
    [
        (JPEGBaseline8Bit, 8, 150),
        (JPEG2000Lossless, 12, 150),
        (HTJ2K_SYNTAXES[0], 16, 150),
        (RLELossless, 12, 150),
    ],
    ids=lambda value: value.name if isinstance(value, UID) else str(value),
)
def test_damaged_frames_do_not_end_the_process(syntax: UID, bits: int, count: int) -> None:
    """A worker that decodes harmed frames lives, and tells each one that cannot be shown by our error."""
    command = [sys.executable, "-c", HARMED, str(syntax), str(bits), str(count)]

    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, timeout=120, check=False, env={"PYTHONPATH": str(ROOT)}
    )

    assert done.returncode == 0, done.stderr[-500:]
    assert int(done.stdout) > 0
