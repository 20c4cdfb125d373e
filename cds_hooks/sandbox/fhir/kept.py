"""Searches that can be paged on by their id, for a while and not too many."""

from __future__ import annotations

import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cds_hooks.sandbox.fhir.query import Query
from cds_hooks.sandbox.resources import Resource


@dataclass(frozen=True, slots=True)
class Search:
    """The matches of a search as they were when it was made.

    Attributes:
        query: what was asked.
        matches: all of them, in order.
        id: names it in the links to its pages.
        made_at: when, as a FHIR instant.
    """

    query: Query
    matches: Sequence[Resource]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    made_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))


class SearchGone(Exception):
    """No such search is kept: it was never made, or is too old."""


class KeptSearches:
    """Searches by id; each use starts the clock of a search anew, as on HAPI.

    Args:
        limit: how many are kept.
        life_s: seconds until an unused one is gone.
        now: seconds on any clock.
    """

    def __init__(self, limit: int, life_s: float, now: Callable[[], float] = time.monotonic) -> None:
        self._limit, self._life_s, self._now = limit, life_s, now
        self._searches: OrderedDict[str, tuple[float, Search]] = OrderedDict()

    def keep(self, search: Search) -> None:
        """Keep a search, as the one used last; make room for it."""
        self._searches[search.id] = (self._now(), search)
        self._searches.move_to_end(search.id)
        while len(self._searches) > self._limit or self._is_old(next(iter(self._searches))):
            self._searches.popitem(last=False)

    def use(self, search_id: str) -> Search:
        """Return a kept search.

        Raises:
            SearchGone: there is none.
        """
        if search_id not in self._searches or self._is_old(search_id):
            raise SearchGone
        _, search = self._searches[search_id]
        self.keep(search)
        return search

    def _is_old(self, search_id: str) -> bool:
        used_at, _ = self._searches[search_id]
        return self._now() - used_at > self._life_s
