import struct

import pytest
from pydicom.uid import UID, JPEG2000Lossless, JPEGBaseline8Bit, JPEGLosslessSV1, JPEGLSLossless

from fhir_adapter.images.codestream import Claim, read_claim
from tests.fhir_adapter.images.encoders import HTJ2K_SYNTAXES, code_of


def size_segment(right: int, bottom: int, tile: int = 1 << 20, components: int = 1) -> bytes:
    """A size segment after the start of a JPEG 2000 codestream."""
    return b"\xff\x4f\xff\x51" + struct.pack(">HH8IH", 41, 0, right, bottom, 0, 0, tile, tile, 0, 0, components)


def sof(rows: int, columns: int, marker: int = 0xC0) -> bytes:
    """A frame header after an application segment with fill bytes."""
    app = b"\xff\xff\xff\xe0\x00\x04ab"
    return b"\xff\xd8" + app + struct.pack(">BBHBHHB", 0xFF, marker, 11, 8, rows, columns, 1)


@pytest.mark.parametrize(
    ("syntax", "bits"),
    [
        (JPEGBaseline8Bit, 8),
        (JPEGLosslessSV1, 12),
        (JPEGLSLossless, 12),
        (JPEG2000Lossless, 12),
        (HTJ2K_SYNTAXES[0], 16),
    ],
)
def test_size_of_real_codestreams_is_read(syntax: UID, bits: int) -> None:
    """Each kind of codestream tells its rows, columns and components."""
    assert read_claim(code_of(syntax, bits)) == Claim(70, 61, 1)


@pytest.mark.parametrize(
    ("code", "claim"),
    [
        (sof(60_000, 60_000), Claim(60_000, 60_000, 1)),
        (sof(5, 7, 0xF7), Claim(5, 7, 1)),
        (size_segment(60_000, 60_000), Claim(60_000, 60_000, 1)),
        (b"boxes" + size_segment(9, 8), Claim(8, 9, 1)),
        (size_segment(60_000, 60_000, tile=1), None),
        (size_segment(0, 5), None),
        (size_segment(5, 5, tile=0), None),
        (size_segment(5, 5)[:20], None),
        (b"\xff\xd8" + b"\xff\xe0\x00\x02" * 500, None),
        (b"\xff\xd8\xff\xe0\x00\x01", None),
        (b"\xff\xd8\x00\x00\x00\x00", None),
        (b"\xff\xd8", None),
        (b"", None),
        (b"\0" * 100, None),
    ],
)
def test_claim_of_a_made_header(code: bytes, claim: Claim | None) -> None:
    """Sizes are told however large they are; damaged headers, endless segments and absurd tiles are no claim."""
    assert read_claim(code) == claim
