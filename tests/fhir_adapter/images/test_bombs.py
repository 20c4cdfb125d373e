"""Small files that claim to be large: refused, and the memory they cost, measured in a process of its own."""

import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, RLELossless

from tests.fhir_adapter.builders import dicom_file
from tests.fhir_adapter.images.test_codestream import size_segment, sof

ROOT = Path(__file__).parents[3]
LIMIT_MIB = 320
"""Interpreter, NumPy, Pillow and pydicom take some 60 MiB, an inflated file up to twice 77."""
MEASURE = r"""
import re, sys, warnings
from pathlib import Path
warnings.simplefilter("ignore")
from fhir_adapter.errors import ImageUnreadable
from fhir_adapter.images.dicom import decode_film
from fhir_adapter.images.pictures import decode_picture
data = sys.stdin.buffer.read()
try:
    (decode_film if sys.argv[1] == "dicom" else decode_picture)(data)
except ImageUnreadable as error:
    # Not ru_maxrss, which a child inherits from the process that started it.
    peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    print(int(peak[1]) // 1024, error.problem, sep=";")
"""


def encapsulated(code: bytes, syntax: str, **elements: Any) -> bytes:
    dataset = pydicom.dcmread(BytesIO(dicom_file(**elements)))
    dataset.PixelData = encapsulate([code])
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
    buffer = BytesIO()
    pydicom.dcmwrite(buffer, dataset)
    return buffer.getvalue()


def deflated(size: int, group_length: int | None = None) -> bytes:
    """A file whose pixels are zeros without end, packed; its header may lie about its own length."""
    syntax = b"1.2.840.10008.1.2.1.99"
    meta = struct.pack("<HH2sH", 2, 0x10, b"UI", len(syntax)) + syntax
    length = len(meta) if group_length is None else group_length
    head = b"\0" * 128 + b"DICM" + struct.pack("<HH2sHI", 2, 0, b"UL", 4, length)
    packer = zlib.compressobj(9, wbits=-15)
    body = packer.compress(struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OW", 0, size))
    for _ in range(size // 2**20):
        body += packer.compress(bytes(2**20))
    return head + meta + body + packer.flush()


def rle_bomb() -> bytes:
    """Runs for half a gigabyte, in a frame that should hold 8 KiB and ends before the second segment does."""
    runs = b"\x81\0" * 2**22
    return encapsulated(struct.pack("<16I", 2, 64, 64 + len(runs), *[0] * 13) + runs + b"\x80\x80", RLELossless)


def png_bomb() -> bytes:
    buffer = BytesIO()
    Image.fromarray(np.zeros((8000, 8000), dtype=np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def nested() -> bytes:
    """Sequences within sequences, of undefined length."""
    item = struct.pack("<HH2sHI", 0x40, 0x275, b"SQ", 0, 0xFFFFFFFF) + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    return dicom_file() + item * 20_000


BOMBS: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "deflated": ("dicom", lambda: deflated(2**28), "unpacks to more than a film can be"),
    "deflated with a lie": ("dicom", lambda: deflated(2**28, 4), "unpacks to more than a film can be"),
    "JPEG 2000 of 60,000 x 60,000": (
        "dicom",
        lambda: encapsulated(size_segment(60_000, 60_000), JPEG2000Lossless),
        "another size",
    ),
    "JPEG of 60,000 x 60,000": (
        "dicom",
        lambda: encapsulated(sof(60_000, 60_000), JPEGBaseline8Bit),
        "another size",
    ),
    "RLE of half a gigabyte": ("dicom", rle_bomb, "damaged"),
    "header of 65,000 x 65,000": ("dicom", lambda: dicom_file(Rows=65_000, Columns=65_000), "size is not that"),
    "a million frames": ("dicom", lambda: dicom_file(NumberOfFrames=10**6), "more frames"),
    "sequences within sequences": ("dicom", nested, ""),
    "PNG of 64 million pixels": ("picture", png_bomb, "size is not that"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bomb_costs_little_memory(name: str) -> None:
    """A file that would unpack to gigabytes is refused before it does; the process stays below a stated size."""
    kind, make, problem = BOMBS[name]

    done = subprocess.run(
        [sys.executable, "-c", MEASURE, kind],
        input=make(),
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=False,
        env={"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )

    assert done.returncode == 0, done.stderr[-300:]
    peak, told = done.stdout.decode().strip().split(";")
    assert (int(peak) < LIMIT_MIB, problem in told) == (True, True), (peak, told)
