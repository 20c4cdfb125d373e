"""One frame of RLE Lossless (PS3.5 annex G) -> samples, never more than were agreed.

pydicom decodes it as well, but expands first and counts afterwards: 32 MiB of runs become 2 GiB.
"""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

_HEADER: Final = struct.Struct("<16I")
_MOST_SEGMENTS: Final = 15
_RUN: Final = 128
"""Control bytes below it copy, bytes above it repeat; the byte itself means nothing."""


def decode_rle(frame: bytes, count: int, depth: int) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    """Return the samples of one frame, one plane after another.

    Args:
        frame: the frame with its header of 64 bytes.
        count: pixels of one plane.
        depth: bytes of one sample, 1 or 2.

    Returns:
        uint8 or uint16 (planes, count).

    Raises:
        ValueError: the frame is damaged or holds fewer samples than agreed.
        struct.error: it is shorter than its header.
    """
    segments, *offsets = _HEADER.unpack_from(frame)
    if not 1 <= segments <= _MOST_SEGMENTS or segments % depth:
        raise ValueError("the RLE header is damaged")
    bounds = [*offsets[:segments], len(frame)]
    # Segments run from the most to the least significant byte of each plane.
    samples = np.empty((segments // depth, count, depth), dtype=np.uint8)
    for place, (start, end) in enumerate(pairwise(bounds)):
        plane, byte = divmod(place, depth)
        samples[plane, :, depth - 1 - byte] = np.frombuffer(_expand(frame[start:end], count), dtype=np.uint8)
    return samples[..., 0] if depth == 1 else samples.view("<u2")[..., 0]


def _expand(segment: bytes, count: int) -> bytes:
    """Undo PackBits, up to a number of bytes (PS3.5 G.3.2)."""
    out = bytearray()
    at, end = 0, len(segment)
    while at < end and len(out) < count:
        control = segment[at]
        if control < _RUN:
            out += segment[at + 1 : at + 2 + control]
            at += control + 2
        elif control > _RUN:
            out += segment[at + 1 : at + 2] * (257 - control)
            at += 2
        else:
            at += 1
    if len(out) < count:
        raise ValueError("an RLE segment ends too early")
    return bytes(out[:count])
