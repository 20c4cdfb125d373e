"""Measurements -> the same measurements read less exactly, dated wrongly, or not there."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

import numpy as np

from fhir_adapter.measurements.quantities import QUANTITY_OF_KEY
from fhir_adapter.record import Measurement, PatientRecord
from inference.contract import MEASUREMENTS, SLOT_OF_KEY
from inference.training.robustness.kind import Degradation, Kind, Subject

Measurements = tuple[Measurement, ...]


def misread(measurements: Measurements, share: float, rng: np.random.Generator) -> Measurements:
    """Add an error to each value, its standard deviation a share of the spread between patients (`Slot.scale`)."""
    errors = rng.standard_normal(len(measurements)) * share
    return tuple(with_error(item, float(error)) for item, error in zip(measurements, errors, strict=True))


def with_error(item: Measurement, error: float) -> Measurement:
    """Move a value by `error` spreads, on a logarithmic scale where the quantity has one."""
    slot, (low, high) = MEASUREMENTS[SLOT_OF_KEY[item.key]], QUANTITY_OF_KEY[item.key].plausible
    moved = item.value * math.exp(error * slot.scale) if slot.log else item.value + error * slot.scale
    # A device reports nothing beyond its range: no pulse oximeter ever shows 103 %.
    return replace(item, value=min(max(moved, low), high))


def misdate(measurements: Measurements, hours: float, _: np.random.Generator) -> Measurements:
    """Date everything too early; beyond its limit a value is not used any more (`Quantity.stale_after_h`).

    The other way leaves nothing to see: what is dated after the question is never used, which is the kind `missing`.
    """
    return tuple(replace(item, taken_at=item.taken_at - timedelta(hours=hours)) for item in measurements)


def lose(measurements: Measurements, share: float, rng: np.random.Generator) -> Measurements:
    """Leave a share of the measurements out; age and sex stay."""
    kept = rng.random(len(measurements)) >= share
    return tuple(item for item, stays in zip(measurements, kept, strict=True) if stays)


def on_measurements(change: Callable[[Measurements, float, np.random.Generator], Measurements]) -> Degradation:
    """Let a change of measurements work on a chart."""

    def degrade(subject: Subject, strength: float, rng: np.random.Generator) -> PatientRecord:
        return replace(subject.record, measurements=change(subject.record.measurements, strength, rng))

    return degrade


VALUE_KINDS: Final = (
    Kind("structured", "error", "share of the spread", (0, 0.1, 0.25, 0.5, 1), on_measurements(misread)),
    Kind("structured", "time", "hours too early", (0, 3, 6, 12, 24), on_measurements(misdate)),
    Kind("structured", "missing", "share lost", (0, 0.25, 0.5, 0.75, 1), on_measurements(lose)),
)
