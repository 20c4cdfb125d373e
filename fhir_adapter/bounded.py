"""How much of a chart is enough: so many of the newest, and of each quantity at least one. No network.

A patient of an intensive care unit has ten thousand results a week. The model takes the newest of each quantity, so
that reading all of them costs time and brings nothing; but the newest hundred may hold the heart rate a hundred times.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from fhir_adapter.measurements.quantities import QUANTITIES, Quantity
from fhir_adapter.prefetch import Query
from fhir_adapter.rest.paging import Enough
from fhir_adapter.shape import Resource, codes_of, dicts_of

SECOND_LOOKS: Final = 2
"""Further searches for quantities that the newest results do not show."""


def enough_for(query: Query) -> Enough:
    """Return what tells that a search has brought as many as were asked for, whatever the server's page size is."""
    wanted = int(query.params["_count"])
    return lambda found: len(found) >= wanted


def unseen(observations: Iterable[Resource]) -> tuple[Quantity, ...]:
    """Return the quantities of which no Observation or component bears a code."""
    seen: set[str] = set()
    for observation in observations:
        for part in (observation, *dicts_of(observation.get("component"))):
            seen.update(code for _, code in codes_of(part.get("code")))
    return tuple(quantity for quantity in QUANTITIES if seen.isdisjoint(quantity.loinc))


def query_for(quantities: Sequence[Quantity], like: Query) -> Query:
    """Return the search for these quantities by code; patient, date bound, order and count as in `like`.

    Codes stand without their system: servers differ in whether they compare it, and the reader looks at it anyway.
    """
    params = {key: value for key, value in like.params.items() if key != "category"}
    return Query(like.resource_type, {**params, "code": ",".join(code for one in quantities for code in one.loinc)})
