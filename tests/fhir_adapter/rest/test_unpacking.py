import gzip
import tracemalloc

import pytest

from fhir_adapter.rest.unpacking import NotUnpacked, TooLarge, Unpacker

ZEROS = gzip.compress(bytes(20_000_000))


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
    packed = gzip.compress(b"Cough since Monday.")
    unpacker = Unpacker("gzip", 1000)
    whole = b"".join(unpacker.feed(packed[place : place + 1]) for place in range(len(packed)))
    unpacker.end()

    assert whole == b"Cough since Monday."


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "gzip,deflate", "chunked"])
def test_other_codings_are_refused(coding: str) -> None:
    """What was not asked for is not tried."""
    with pytest.raises(NotUnpacked):
        Unpacker(coding, 1000)
