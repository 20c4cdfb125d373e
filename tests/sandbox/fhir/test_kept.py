from __future__ import annotations

import pytest

from cds_hooks.sandbox.fhir.kept import KeptSearches, Search, SearchGone
from cds_hooks.sandbox.fhir.query import Query


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def make_search() -> Search:
    return Search(Query("Patient"), [])


def test_each_use_starts_the_clock_anew() -> None:
    """A search that is paged on outlives its time limit; left alone it is gone."""
    clock, search = Clock(), make_search()
    kept = KeptSearches(limit=5, life_s=10, now=clock)
    kept.keep(search)
    for clock.now in (9.0, 18.0):
        assert kept.use(search.id) is search

    clock.now = 28.5
    with pytest.raises(SearchGone):
        kept.use(search.id)


def test_search_unused_longest_makes_room() -> None:
    """Only so many are kept."""
    kept, searches = KeptSearches(limit=2, life_s=10, now=Clock()), [make_search() for _ in range(3)]
    kept.keep(searches[0])
    kept.keep(searches[1])
    kept.use(searches[0].id)
    kept.keep(searches[2])

    assert kept.use(searches[0].id) is searches[0]
    with pytest.raises(SearchGone):
        kept.use(searches[1].id)


def test_unknown_id_is_gone() -> None:
    """A made-up id is answered as an expired one."""
    with pytest.raises(SearchGone):
        KeptSearches(limit=2, life_s=10).use("nosuch")
