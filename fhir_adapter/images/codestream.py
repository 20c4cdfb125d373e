"""First bytes of compressed pixels -> the size they claim, so that no decoder is handed a picture larger than agreed.

JPEG and JPEG-LS (ISO/IEC 10918-1 B.2, 14495-1 C.2): the frame header; JPEG 2000 and HTJ2K (15444-1 A.5.1):
the size segment.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

_JPEG: Final = b"\xff\xd8"
_JPEG_2000: Final = b"\xff\x4f\xff\x51"
_FRAME_HEADERS: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
"""SOF0 to SOF15 without the tables DHT and DAC and without JPG; 0xF7 is JPEG-LS."""
_MOST_SEGMENTS: Final = 200
_LONGEST_PREFIX: Final = 4096
"""DICOM wants the bare codestream; some writers leave the boxes of a JP2 file before it."""
_MOST_TILES: Final = 4096


@dataclass(frozen=True, slots=True)
class Claim:
    """What a codestream says of its picture: size in pixels and number of components."""

    rows: int
    columns: int
    components: int


def read_claim(code: bytes) -> Claim | None:
    """Return what the codestream claims, or None where it is damaged, of another kind, or cut into absurd tiles."""
    try:
        if code.startswith(_JPEG):
            return _jpeg(code)
        at = code.find(_JPEG_2000, 0, _LONGEST_PREFIX)
        return _jpeg_2000(code, at) if at >= 0 else None
    except struct.error:
        return None


def _jpeg(code: bytes) -> Claim | None:
    at = len(_JPEG)
    for _ in range(_MOST_SEGMENTS):
        while code[at : at + 2] == b"\xff\xff":
            # Fill bytes may stand before any marker.
            at += 1
        fence, marker, length = struct.unpack_from(">BBH", code, at)
        if fence != 0xFF or length < 2:
            return None
        if marker in _FRAME_HEADERS:
            _, rows, columns, components = struct.unpack_from(">BHHB", code, at + 4)
            return Claim(rows, columns, components)
        at += 2 + length
    return None


def _jpeg_2000(code: bytes, at: int) -> Claim | None:
    right, bottom, left, top, tile_width, tile_height, _, _, components = struct.unpack_from(">8IH", code, at + 8)
    rows, columns = bottom - top, right - left
    if min(rows, columns, tile_width, tile_height) <= 0:
        return None
    tiles = -(-right // tile_width) * -(-bottom // tile_height)
    return Claim(rows, columns, components) if tiles <= _MOST_TILES else None
