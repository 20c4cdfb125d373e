import gzip
import tracemalloc
import zlib

import pytest

from fhir_adapter.rest.unpacking import NotUnpacked, TooLarge, Unpacker

ZEROS = gzip.compress(bytes(20_000_000))
TWO_MEMBERS = gzip.compress(b"Cough ") + gzip.compress(b"since Monday.")


def unpacked(body: bytes, coding: str = "gzip", room: int = 19, step: int = 1000) -> bytes:
    """What a body holds that comes in pieces of `step` bytes."""
    unpacker = Unpacker(coding, room)
    whole = b"".join(unpacker.feed(body[start : start + step]) for start in range(0, len(body), step))
    unpacker.end()
    return whole


def test_nothing_is_unpacked_beyond_the_room() -> None:
    """A bomb of 20 MB takes no more memory than there is room for, however small it is packed."""
    unpacker = Unpacker("gzip", 1000)
    tracemalloc.start()
    with pytest.raises(TooLarge):
        unpacker.feed(ZEROS)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 1_000_000


def test_pieces_of_any_size_give_the_whole() -> None:
    """A connection cuts where it likes."""
    assert unpacked(gzip.compress(b"Cough since Monday."), step=1) == b"Cough since Monday."


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "gzip,deflate", "chunked"])
def test_other_codings_are_refused(coding: str) -> None:
    """What was not asked for is not tried."""
    with pytest.raises(NotUnpacked):
        Unpacker(coding, 1000)


@pytest.mark.parametrize("step", [1, 7, len(gzip.compress(b"Cough ")), 1000])
def test_all_members_are_unpacked(step: int) -> None:
    """A gzip body may have several members (RFC 1952 section 2.2), wherever the connection cuts it."""
    assert unpacked(TWO_MEMBERS, step=step) == b"Cough since Monday."


def test_members_share_the_room() -> None:
    """Many small members take no more room than one large one."""
    with pytest.raises(TooLarge):
        unpacked(TWO_MEMBERS, room=18)


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(b"Cough") + b"since"),
        ("gzip", gzip.compress(b"Cough") + zlib.compress(b"since")),
        ("gzip", TWO_MEMBERS[:-9]),
        ("deflate", zlib.compress(b"Cough") + zlib.compress(b"since")),
    ],
    ids=["garbage", "another coding", "cut in the second member", "deflate has one member"],
)
def test_what_follows_the_end_is_not_left_out(coding: str, body: bytes) -> None:
    """A body that goes on behind its end with anything but a whole member is not taken for the part before."""
    with pytest.raises(NotUnpacked):
        unpacked(body, coding)
