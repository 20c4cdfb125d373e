"""Results that were reported more than once -> each once. Knows nothing of units or dates as FHIR writes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from math import isclose
from typing import Final

from fhir_adapter.dates import read_moment
from fhir_adapter.measurements.readings import Reading
from fhir_adapter.record import Measurement
from fhir_adapter.shape import Resource, as_dict, as_text

Read = tuple[Measurement, Reading]
_REPLACING: Final = frozenset({"amended", "corrected"})
_SAME: Final = 1e-3
"""Relative: what two units and their rounding make of one number."""
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


def newest_versions(observations: Sequence[Resource]) -> Iterable[Resource]:
    """Return each Observation in its newest version, by `meta.lastUpdated` and then `meta.versionId`.

    Pages and categories can hold the same resource before and after a correction. Without an id nothing is known to be
    the same.
    """
    kept: dict[str, Resource] = {}
    nameless: list[Resource] = []
    for each in observations:
        own_id = as_text(each.get("id"))
        if not own_id:
            nameless.append(each)
        elif own_id not in kept or _version(each) > _version(kept[own_id]):
            kept[own_id] = each
    return [*kept.values(), *nameless]


def without_duplicates(found: Iterable[Read]) -> list[Measurement]:
    """Return each result once.

    Only readings of one quantity at one moment can be the same result. Of these, a corrected one replaces the others,
    unless both name a specimen and not the same; of one specimen, the one that was issued last counts; and what
    has the same value, by whatever code, unit or interface, counts once.
    """
    together: dict[tuple[str, float], list[Read]] = {}
    for read in found:
        # Moments are compared as numbers, which is several times faster than with their zones.
        together.setdefault((read[0].key, read[0].taken_at.timestamp()), []).append(read)
    kept: list[Measurement] = []
    for group in together.values():
        kept += [group[0][0]] if len(group) == 1 else _different(_last_issued(_corrected(group)))
    return kept


def _corrected(group: list[Read]) -> list[Read]:
    """Drop the results that a corrected one replaces."""
    new = {reading.specimen for _, reading in group if reading.status in _REPLACING}
    if not new:
        return group
    return [
        read
        for read in group
        if read[1].status in _REPLACING or not ("" in new or not read[1].specimen or read[1].specimen in new)
    ]


def _last_issued(group: list[Read]) -> list[Read]:
    """Of each named specimen keep what was issued last; results of no named specimen are all kept."""
    issued = [read[1].issued or _NEVER for read in group]
    last: dict[str, datetime] = {}
    for (_, reading), moment in zip(group, issued, strict=True):
        last[reading.specimen] = max(moment, last.get(reading.specimen, _NEVER))
    return [
        read
        for read, moment in zip(group, issued, strict=True)
        if not read[1].specimen or moment == last[read[1].specimen]
    ]


def _different(group: list[Read]) -> list[Measurement]:
    """Keep one of each value, whatever their order: that of the preferred code, then of the first reference."""
    by_value = sorted(group, key=lambda read: read[0].value)
    runs: list[list[Read]] = []
    for read in by_value:
        if runs and isclose(read[0].value, runs[-1][0][0].value, rel_tol=_SAME):
            runs[-1].append(read)
        else:
            runs.append([read])
    return [min(run, key=_preference)[0] for run in runs]


def _preference(read: Read) -> tuple[int, str, float]:
    measurement, reading = read
    return reading.quantity.loinc.index(measurement.loinc), str(measurement.source), measurement.value


def _version(resource: Resource) -> tuple[datetime, int]:
    meta = as_dict(resource.get("meta"))
    number = as_text(meta.get("versionId"))
    return read_moment(meta.get("lastUpdated")) or _NEVER, int(number) if number.isascii() and number.isdigit() else 0
