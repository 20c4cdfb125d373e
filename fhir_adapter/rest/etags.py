"""Address -> the answer it gave a while ago, to be asked about with `If-None-Match` (RFC 9110 section 13.1.2).

A kept answer is never used by itself: the server must say first, to the token of the moment, that it still holds.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from fhir_adapter.rest.answers import Answer

Key = tuple[str, str, str]
"""Whole address, `Accept` header, and a digest of the access it was given to."""


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: Answer
    until: float


class Etags:
    """A small store in memory; the answer not used for the longest time goes first.

    Args:
        entries: answers kept at most.
        size: bytes of their bodies altogether.
        seconds: how long one is kept after it came.
        clock: seconds that only grow.
    """

    def __init__(self, entries: int, size: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._entries, self._size, self._seconds, self._clock = entries, size, seconds, clock
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()
        self._held = 0

    def find(self, key: Key) -> Answer | None:
        """Return what an address gave, if that is kept still."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept.until <= self._clock():
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return kept.answer

    def keep(self, key: Key, answer: Answer) -> None:
        """Keep an answer that has an ETag; one that is larger than all that may be kept is not."""
        if key in self._kept:
            self._drop(key)
        if not answer.etag or len(answer.body) > self._size or not self._seconds:
            return
        self._kept[key] = _Kept(answer, self._clock() + self._seconds)
        self._held += len(answer.body)
        while self._held > self._size or len(self._kept) > self._entries:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Key) -> None:
        self._held -= len(self._kept.pop(key).answer.body)
