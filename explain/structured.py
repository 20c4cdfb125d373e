"""Effect of each structured input -> one row of evidence for each that the model was given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from math import exp
from typing import Final

import numpy as np
import numpy.typing as npt

from explain.evidence import MeasurementEvidence, Reading
from fhir_adapter.measurements.quantities import QUANTITY_OF_KEY, Limits
from fhir_adapter.record import Measurement, PatientRecord
from inference.contract import MEASUREMENTS, SLOT_OF_KEY, SLOTS, ModelInputs, Slot, Tensor

NO_EFFECT: Final = np.zeros(SLOTS, np.float32)
DEMOGRAPHICS: Final = {"age": ("Age", "mo"), "female": ("Sex", "")}
"""Inputs that are no measurement: name and UCUM unit. They have no normal range."""
MOST_READINGS: Final = 20
"""Readings of one measurement that a page plots, the newest."""
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


def measurement_evidence(
    record: PatientRecord, inputs: ModelInputs, effect: npt.NDArray[np.floating]
) -> tuple[MeasurementEvidence, ...]:
    """Return a row for each structured input the model was given, the strongest effect first.

    Args:
        record: for the source of age and sex.
        inputs: which slots were present, and from which measurement.
        effect: shape (SLOTS,), signed, in logits of the answer against the others.

    Raises:
        ValueError: the effects have another shape or are not finite.
    """
    if effect.shape != (SLOTS,) or not np.isfinite(effect).all():
        raise ValueError(f"value effect must be {SLOTS} finite numbers, one a slot; check the exported graph")
    rows = list(_rows(record, inputs, effect))
    return tuple(sorted(rows, key=lambda row: -abs(row.effect)))


def without_judgement(rows: tuple[MeasurementEvidence, ...]) -> tuple[MeasurementEvidence, ...]:
    """Return the rows with neither effects nor normal ranges, for a case out of scope.

    The ranges are those of the checkpoint's patients; beside an adult's value they would mislead.
    """
    return tuple(replace(row, effect=0.0, normal=None, outside=False) for row in rows)


def _rows(
    record: PatientRecord, inputs: ModelInputs, effect: npt.NDArray[np.floating]
) -> Iterator[MeasurementEvidence]:
    present = inputs.arrays[Tensor.VALUE_PRESENT].reshape(SLOTS)
    values = inputs.arrays[Tensor.VALUES].reshape(SLOTS)
    age = _age_months(present, values)
    for place, (slot, used) in enumerate(zip(MEASUREMENTS, inputs.used, strict=True)):
        if used is not None:
            normal = QUANTITY_OF_KEY[used.key].normal_at(age, record.demographics.sex)
            yield _measured(used, normal, float(effect[place]), _history(record, used))
        elif present[place] and slot.key in DEMOGRAPHICS:
            yield _demographic(record, slot, _as_recorded(slot, float(values[place])), float(effect[place]))


def _history(record: PatientRecord, used: Measurement) -> tuple[Reading, ...]:
    """Return every reading of the same measurement up to the one that was used, oldest first."""
    same = [one for one in record.measurements if one.key == used.key and one.taken_at <= used.taken_at]
    ordered = sorted(same, key=lambda one: (one.taken_at, one is used))
    return tuple(Reading(one.value, one.taken_at, str(one.source)) for one in ordered[-MOST_READINGS:])


def _age_months(present: npt.NDArray[np.generic], values: npt.NDArray[np.generic]) -> float | None:
    """Return the age that the model was given; the record holds the birth date, but not the moment of the question."""
    place = SLOT_OF_KEY["age"]
    # A 32-bit number of 12 months may come back as slightly less, and with it the range of another age.
    return round(_as_recorded(MEASUREMENTS[place], float(values[place])), 2) if present[place] else None


def _measured(
    used: Measurement, normal: Limits | None, effect: float, history: tuple[Reading, ...]
) -> MeasurementEvidence:
    return MeasurementEvidence(
        key=used.key,
        name=QUANTITY_OF_KEY[used.key].name,
        value=used.value,
        unit=used.unit,
        normal=normal,
        effect=effect,
        outside=_outside(used.value, normal),
        taken_at=used.taken_at,
        source=str(used.source),
        history=history,
    )


def _demographic(record: PatientRecord, slot: Slot, value: float, effect: float) -> MeasurementEvidence:
    name, unit = DEMOGRAPHICS[slot.key]
    return MeasurementEvidence(
        key=slot.key,
        name=name,
        value=value,
        unit=unit,
        normal=None,
        effect=effect,
        outside=False,
        taken_at=_newest(record),
        source=str(record.demographics.source),
    )


def _as_recorded(slot: Slot, standardised: float) -> float:
    """Undo `Slot.standardise`: the value in its own unit, as the model was given it."""
    value = standardised * slot.scale + slot.centre
    return exp(value) if slot.log else value


def _outside(value: float, normal: Limits | None) -> bool:
    low, high = normal or (None, None)
    return (low is not None and value < low) or (high is not None and value > high)


def _newest(record: PatientRecord) -> datetime:
    """Return the newest time in the record: age and sex are of the question, whose time no record holds."""
    times = [
        *(measurement.taken_at for measurement in record.measurements),
        *(note.written_at for note in record.notes),
        *(film.acquired_at for film in record.films),
    ]
    return max(times, default=_NEVER)
