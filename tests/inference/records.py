"""Charts for the tests: a child of two and a half with a film, a note and a CRP, all of this morning."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from fhir_adapter.measurements.quantities import QUANTITY_OF_KEY
from fhir_adapter.record import Demographics, Film, Measurement, Note, PatientRecord, Source

ASKED_AT = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
ENGLISH = "Child with fever and cough for three days. Crackles heard on the left lung, breathing fast."


def hours_ago(hours: float) -> datetime:
    """A moment before the question."""
    return ASKED_AT - timedelta(hours=hours)


def make_film(**changes: Any) -> Film:
    """A frontal chest film with a smooth pattern of 8-bit grey."""
    grey = (np.add.outer(np.arange(200), np.arange(240)) % 256).astype(np.float32) / np.float32(255)
    film = Film(grey, "AP", "DX", "CHEST", hours_ago(2), Source("ImagingStudy/film", "1"))
    return replace(film, **changes)


def make_note(**changes: Any) -> Note:
    """An English note."""
    return replace(Note(ENGLISH, "Admission note", hours_ago(3), Source("DocumentReference/note", "1")), **changes)


def make_measurement(key: str = "crp", value: float = 80.0, **changes: Any) -> Measurement:
    """One measurement in the unit of its quantity."""
    quantity = QUANTITY_OF_KEY[key]
    source = Source(f"Observation/{key}", "1")
    return replace(Measurement(key, quantity.loinc[0], value, quantity.unit, hours_ago(4), source), **changes)


def make_record(**changes: Any) -> PatientRecord:
    """A chart with one of everything."""
    record = PatientRecord(
        Demographics(date(2023, 9, 1), "female", Source("Patient/child", "1")),
        (make_measurement(),),
        (make_note(),),
        (make_film(),),
    )
    return replace(record, **changes)
