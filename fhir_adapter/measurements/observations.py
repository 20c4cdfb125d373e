"""Observation -> Measurement: numbers with a LOINC code we know, in the unit of their quantity. No network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from fhir_adapter.dates import read_moment, read_period
from fhir_adapter.measurements.quantities import QUANTITY_OF_LOINC, Quantity
from fhir_adapter.measurements.units import UCUM, to_unit
from fhir_adapter.record import Gap, GapReason, Measurement, Source
from fhir_adapter.references import source_of
from fhir_adapter.shape import Resource, as_dict, as_text, codes_of, dicts_of

USABLE_STATUSES: Final = frozenset({"final", "amended", "corrected"})
"""R4 ObservationStatus of results that somebody stands behind."""
_LOINC: Final = frozenset({"http://loinc.org", "urn:oid:2.16.840.1.113883.6.1"})
_COMPARATORS: Final = frozenset({"<", "<=", ">=", ">"})
_CLOCK_TOLERANCE: Final = timedelta(hours=24)
"""A date without a time or zone may lie this far ahead of us; beyond it a reading is dated in the future."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """An Observation, one of its components, or a panel member it contains; what a member lacks its parent gives."""

    content: Resource
    quantity: Quantity
    loinc: str
    taken_at: datetime | None
    source: Source


def read_measurements(
    observations: Sequence[Resource], asked_at: datetime
) -> tuple[tuple[Measurement, ...], tuple[Gap, ...]]:
    """Read every usable number, newest first, and say of which quantity something could not be used.

    Several readings of one quantity are all kept. Results that are not final, amended or corrected, and those about
    something other than the patient (Observation.focus), are left out without a gap: nobody stands behind them.
    """
    measurements: list[Measurement] = []
    gaps: dict[Gap, None] = {}
    for observation in observations:
        for reading in _readings(observation):
            result = _measure(reading, asked_at)
            if isinstance(result, Gap):
                gaps[result] = None
            else:
                measurements.append(result)
    measurements.sort(key=lambda found: (found.taken_at, found.source.reference, found.loinc), reverse=True)
    return tuple(measurements), tuple(gaps)


def _is_usable(observation: Resource) -> bool:
    # FHIR keeps mistaken results on file, so the status decides first.
    status = observation.get("status")
    return isinstance(status, str) and status in USABLE_STATUSES and not observation.get("focus")


def _readings(observation: Resource) -> Iterator[_Reading]:
    """Yield the observation itself, its components and its contained members, where we know their code."""
    if not _is_usable(observation):
        return
    inner = [observation, *dicts_of(observation.get("component"))]
    if "hasMember" in observation:
        inner += _contained_members(observation)
    for content in inner:
        known = _known_code(content.get("code"))
        if known is not None:
            taken_at = _taken_at(content) or _taken_at(observation)
            yield _Reading(content, *known, taken_at, source_of(observation))


def _contained_members(observation: Resource) -> list[Resource]:
    # Members that are resources of their own arrive on their own: only contained ones would be missed.
    wanted = {as_text(member.get("reference")) for member in dicts_of(observation["hasMember"])}
    contained = dicts_of(observation.get("contained"))
    return [each for each in contained if f"#{as_text(each.get('id'))}" in wanted and _is_usable(each)]


def _known_code(concept: object) -> tuple[Quantity, str] | None:
    """Return the quantity and its LOINC code; the preferred code where several are given."""
    best: tuple[Quantity, str] | None = None
    for system, code in codes_of(concept):
        quantity = QUANTITY_OF_LOINC.get(code) if system in _LOINC else None
        if quantity is None:
            continue
        if best is None or (quantity is best[0] and quantity.loinc.index(code) < quantity.loinc.index(best[1])):
            best = quantity, code
    return best


def _taken_at(observation: Resource) -> datetime | None:
    """Return when it was measured (effective[x]); when it was reported (issued), where that is all there is."""
    return (
        read_moment(observation.get("effectiveDateTime"))
        or read_moment(observation.get("effectiveInstant"))
        or read_period(observation.get("effectivePeriod"))
        or read_moment(observation.get("issued"))
    )


def _measure(reading: _Reading, asked_at: datetime) -> Measurement | Gap:
    quantity, taken_at = reading.quantity, reading.taken_at
    if taken_at is None:
        return Gap("structured", quantity.name, GapReason.UNREADABLE, "it is not dated")
    if taken_at > asked_at + _CLOCK_TOLERANCE:
        return Gap("structured", quantity.name, GapReason.IMPLAUSIBLE, "it is dated in the future")
    value = _value(as_dict(reading.content.get("valueQuantity")), quantity)
    if isinstance(value, str):
        return Gap("structured", quantity.name, GapReason.UNREADABLE, value)
    low, high = quantity.plausible
    if not low <= value <= high:
        return Gap("structured", quantity.name, GapReason.IMPLAUSIBLE)
    return Measurement(quantity.key, reading.loinc, value, quantity.unit, taken_at, reading.source)


def _value(given: Resource, quantity: Quantity) -> float | str:
    """Return the value in the quantity's unit, or what is wrong with it.

    "<5" counts as 5 and ">200" as 200, the limit itself (R4 QuantityComparator): the nearest number that the
    laboratory did state. It never makes a result look more extreme than it is.
    """
    number = given.get("value")
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        return "it holds no number"
    if "comparator" in given and as_text(given["comparator"]) not in _COMPARATORS:
        return "its comparator is not known"
    value = to_unit(float(number), _unit(given), quantity)
    return "its unit is not known" if value is None else value


def _unit(given: Resource) -> str:
    """Return the UCUM code; the printed unit only where no UCUM code is given."""
    code = as_text(given.get("code"))
    return code if code and given.get("system") == UCUM else as_text(given.get("unit")) or code
