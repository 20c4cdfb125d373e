"""Compressed body -> what it holds, never more than there is room for (RFC 9110 section 8.4.1)."""

from __future__ import annotations

import zlib
from typing import Final

ACCEPTED: Final = "gzip, deflate"
"""Value of `Accept-Encoding`."""
_EITHER: Final = 32 + zlib.MAX_WBITS
"""zlib finds out by itself whether it is gzip or zlib."""
_GZIP: Final = 16 + zlib.MAX_WBITS
_BARE: Final = -zlib.MAX_WBITS
_CODINGS: Final = frozenset({"gzip", "x-gzip", "deflate"})


class NotUnpacked(ValueError):
    """A body cannot be decompressed: it is broken, cut off, or in a coding that was not asked for."""


class TooLarge(ValueError):
    """A body holds more than there is room for."""


class Plain:
    """Takes a body that is not compressed; `room` is the largest number of bytes."""

    def __init__(self, room: int) -> None:
        self._room = room

    def feed(self, piece: bytes) -> bytes:
        """Return the piece.

        Raises:
            TooLarge: there is no room for it.
        """
        self._room -= len(piece)
        if self._room < 0:
            raise TooLarge
        return piece

    def end(self) -> None:
        """Take note that there is nothing more."""


class Unpacker:
    """Decompresses a body piece by piece.

    One coding only: of two, one on top of the other, a few bytes could fill any memory.

    Args:
        coding: the Content-Encoding header.
        room: largest number of bytes taken.

    Raises:
        NotUnpacked: a coding that is not known here.
    """

    def __init__(self, coding: str, room: int) -> None:
        if coding not in _CODINGS:
            raise NotUnpacked
        self._inner = zlib.decompressobj(_EITHER)
        # Some servers leave the header of `deflate` out; only the first bytes tell.
        self._may_be_bare = coding == "deflate"
        self._has_members = coding != "deflate"
        self._room = room

    def feed(self, piece: bytes) -> bytes:
        """Return what a piece holds.

        Raises:
            NotUnpacked: it is broken, or something else follows its end.
            TooLarge: there is no room for it; no more than one byte beyond the room was unpacked.
        """
        found = []
        while piece:
            if self._inner.eof:
                self._next_member()
            try:
                found.append(self._unpack(piece))
            except zlib.error:
                raise NotUnpacked from None
            self._room -= len(found[-1])
            if self._room < 0:
                raise TooLarge
            piece = self._inner.unused_data
        return b"".join(found)

    def end(self) -> None:
        """Take note that there is nothing more.

        Raises:
            NotUnpacked: it was cut off.
        """
        if not self._inner.eof:
            raise NotUnpacked

    def _next_member(self) -> None:
        """Make ready for what follows the end: gzip may have several members, one behind the other (RFC 1952, 2.2)."""
        if not self._has_members:
            raise NotUnpacked
        self._inner = zlib.decompressobj(_GZIP)

    def _unpack(self, piece: bytes) -> bytes:
        try:
            found = self._inner.decompress(piece, self._room + 1)
        except zlib.error:
            if not self._may_be_bare:
                raise
            self._inner = zlib.decompressobj(_BARE)
            found = self._inner.decompress(piece, self._room + 1)
        self._may_be_bare = self._may_be_bare and not piece
        return found
