"""Demographics and measurements of a record -> the structured arrays, with what is missing or too old."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from fhir_adapter.measurements.quantities import QUANTITIES, QUANTITY_OF_KEY
from fhir_adapter.record import Demographics, Gap, GapReason, Measurement, PatientRecord
from inference.contract import MEASUREMENTS, SLOTS, FloatArray
from inference.recency import age_hours, known_at

SEXES: Final = {"female": 1.0, "male": 0.0}
NAMED: Final = frozenset({"crp", "wbc", "procalcitonin", "spo2", "temperature", "respiratory_rate"})
"""Measurements whose absence a clinician is told one by one; a line for each of the others would hide these."""
SAYS_IT_ALL: Final = frozenset(
    {
        GapReason.MISSING,
        GapReason.REFUSED,
        GapReason.NO_ACCESS,
        GapReason.FAILED,
        GapReason.TIMEOUT,
        GapReason.INCOMPLETE,
    }
)
"""Reasons of a gap in the record after which a list of single missing measurements adds nothing, or is untrue."""
OF_ONE: Final = frozenset(quantity.name for quantity in QUANTITIES)
"""Items of gaps that are about one measurement, such as an awaited one, and say nothing of the others."""


@dataclass(frozen=True, slots=True)
class Structured:
    """The structured arrays, each (1, SLOTS), the measurement behind each slot, and the gaps found."""

    values: FloatArray
    present: FloatArray
    age_days: FloatArray
    used: tuple[Measurement | None, ...]
    gaps: tuple[Gap, ...]


def demographic_values(demographics: Demographics, asked_at: datetime) -> dict[str, float]:
    """Return the values of the slots `age` (months) and `female` (1, 0), as far as they are known."""
    known = {"age": demographics.age_months(asked_at), "female": SEXES.get(demographics.sex)}
    return {key: value for key, value in known.items() if value is not None}


def choose_measurement(record: PatientRecord, key: str, asked_at: datetime) -> tuple[Measurement | None, list[Gap]]:
    """Return the newest current and possible measurement of a quantity, and what to say where there is none."""
    quantity = QUANTITY_OF_KEY[key]
    low, high = quantity.plausible
    mine = (measurement for measurement in record.measurements if measurement.key == key)
    known = known_at(mine, lambda measurement: measurement.taken_at, asked_at)
    current = [found for found in known if age_hours(found.taken_at, asked_at) <= quantity.stale_after_h]
    possible = [found for found in current if low <= found.value <= high]
    if possible:
        return possible[0], []
    if not known and key not in NAMED:
        return None, []
    reason = GapReason.IMPLAUSIBLE if current else GapReason.STALE if known else GapReason.MISSING
    return None, [Gap("structured", quantity.name, reason)]


def is_news(gap: Gap, told: tuple[Gap, ...]) -> bool:
    """Say whether a gap adds to those the record already has."""
    if any(other.item == gap.item for other in told):
        return False
    said = any(
        other.modality == "structured" and other.reason in SAYS_IT_ALL and other.item not in OF_ONE for other in told
    )
    return gap.reason is not GapReason.MISSING or not said


def encode_measurements(record: PatientRecord, asked_at: datetime) -> Structured:
    """Fill every slot that the record can fill."""
    values, present, age_days = (np.zeros((1, SLOTS), np.float32) for _ in range(3))
    used: list[Measurement | None] = [None] * SLOTS
    gaps: list[Gap] = []
    known = demographic_values(record.demographics, asked_at)
    for place, slot in enumerate(MEASUREMENTS):
        value = known.get(slot.key)
        if slot.key in QUANTITY_OF_KEY:
            measurement, found = choose_measurement(record, slot.key, asked_at)
            gaps += [gap for gap in found if is_news(gap, record.gaps)]
            if measurement is not None:
                value, used[place] = measurement.value, measurement
                age_days[0, place] = age_hours(measurement.taken_at, asked_at) / 24
        if value is not None:
            values[0, place], present[0, place] = slot.standardise(value), 1
    return Structured(values, present, age_days, tuple(used), tuple(gaps))
