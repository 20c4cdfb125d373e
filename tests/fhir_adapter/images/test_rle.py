import struct

import numpy as np
import pytest

from fhir_adapter.images.rle import decode_rle


def frame(*segments: bytes) -> bytes:
    """An RLE frame of these segments."""
    starts = [64 + sum(map(len, segments[:place])) for place in range(len(segments))]
    return struct.pack("<16I", len(segments), *starts, *[0] * (15 - len(segments))) + b"".join(segments)


@pytest.mark.parametrize(
    ("segment", "samples"),
    [
        (b"\x03abcd", b"abcd"),
        (b"\xfda", b"aaaa"),
        (b"\x00a\x80\xfeb", b"abbb"),
        (b"\x01ab\x01cd\0", b"abcd"),
        (b"\x81a", b"aaaa"),
    ],
    ids=["literal", "run", "with a byte that means nothing", "padded", "longer than agreed"],
)
def test_runs_and_literals_are_unpacked(segment: bytes, samples: bytes) -> None:
    """PackBits as PS3.5 G.3 has it, and never more bytes than were agreed."""
    assert decode_rle(frame(segment), 4, 1).tobytes() == samples


def test_words_come_in_two_segments() -> None:
    """The most significant bytes come first."""
    assert decode_rle(frame(b"\x01\x01\x02", b"\x01\x03\x04"), 2, 2).tolist() == [[0x0103, 0x0204]]


def test_bomb_of_runs_is_unpacked_to_the_agreed_length_only() -> None:
    """Runs for gigabytes give no more than the picture's pixels."""
    bomb = frame(b"\x81\0" * 2**20)

    assert np.array_equal(decode_rle(bomb, 100, 1), np.zeros((1, 100)))


@pytest.mark.parametrize(
    ("data", "depth"),
    [
        (frame(b"\x01ab"), 1),
        (frame(b"\x03abcd"), 2),
        (frame(), 1),
        (struct.pack("<16I", 99, *[64] * 15), 1),
        (struct.pack("<16I", 1, 2**32 - 1, *[0] * 14), 1),
        (b"short", 1),
    ],
)
def test_damaged_frame_is_refused(data: bytes, depth: int) -> None:
    """Too few bytes, segments that do not make whole samples, offsets beyond the end."""
    with pytest.raises((ValueError, struct.error)):
        decode_rle(data, 4, depth)
