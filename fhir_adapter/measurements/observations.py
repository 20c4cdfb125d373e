"""Observations -> Measurements: numbers of a known quantity, in its unit, each result once. No network."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from fhir_adapter.measurements.duplicates import Read, newest_versions, without_duplicates
from fhir_adapter.measurements.readings import Reading, readings_of
from fhir_adapter.measurements.values import Unusable, number_of
from fhir_adapter.record import Gap, GapReason, Measurement
from fhir_adapter.shape import Resource

USABLE_STATUSES: Final = frozenset({"final", "amended", "corrected"})
"""ObservationStatus (R4, R5) of results that somebody stands behind."""
_AWAITED: Final = {
    "registered": Unusable(GapReason.MISSING, "its result is awaited"),
    "preliminary": Unusable(GapReason.MISSING, "there is only a preliminary result"),
    "unknown": Unusable(GapReason.MISSING, "nobody states that its result is final"),
}
_NO_STATUS: Final = Unusable(GapReason.UNREADABLE, "its status is not known")
_NO_DATE: Final = Unusable(GapReason.UNREADABLE, "it is not dated")
_IN_THE_FUTURE: Final = Unusable(GapReason.IMPLAUSIBLE, "it is dated in the future")
_CLOCK_TOLERANCE: Final = timedelta(hours=24)
"""A date without a time or zone may lie this far ahead of us; beyond it a reading is dated in the future."""


def read_measurements(
    observations: Sequence[Resource], asked_at: datetime
) -> tuple[tuple[Measurement, ...], tuple[Gap, ...]]:
    """Read every usable number, newest first, and say of which quantity something could not be used.

    Several readings of one quantity are all kept, a result that was reported several times once. That a quantity is
    awaited or absent is told only where nothing else of it is on file.
    """
    found: list[Read] = []
    gaps: dict[Gap, None] = {}
    for observation in newest_versions(observations):
        for reading in readings_of(observation):
            result = _measure(reading, asked_at)
            if isinstance(result, Measurement):
                found.append((result, reading))
            elif result is not None:
                gaps[Gap("structured", reading.quantity.name, result.reason, result.detail)] = None
    measurements = without_duplicates(found)
    measurements.sort(key=lambda each: (each.taken_at.timestamp(), each.source.reference, each.loinc), reverse=True)
    present = {reading.quantity.name for _, reading in found}
    told = [gap for gap in gaps if gap.reason is not GapReason.MISSING or gap.item not in present]
    # By their words: servers list results of one moment in any order, and a card should not change with it.
    return tuple(measurements), tuple(sorted(told, key=str))


def _measure(reading: Reading, asked_at: datetime) -> Measurement | Unusable | None:
    quantity = reading.quantity
    if reading.status not in USABLE_STATUSES:
        return _AWAITED.get(reading.status, _NO_STATUS)
    value = number_of(reading.content, quantity)
    if value is None or isinstance(value, Unusable):
        return value
    taken_at = reading.taken_at
    if taken_at is None:
        return _NO_DATE
    if taken_at > asked_at + _CLOCK_TOLERANCE:
        return _IN_THE_FUTURE
    return Measurement(quantity.key, reading.loinc, value, quantity.unit, taken_at, reading.source)
