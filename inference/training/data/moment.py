"""A chart and the time of a film -> the case around that film, read as the service reads it at the bedside.

The question is asked some hours after the film, when the first results are back. The note is one that was there before
the film was read: a later one may hold the radiologist's answer, and the model would learn to copy it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from fhir_adapter.measurements.quantities import QUANTITY_OF_KEY
from fhir_adapter.record import Note, PatientRecord
from inference.contract import MEASUREMENTS
from inference.encode_measurements import choose_measurement, demographic_values
from inference.recency import age_hours
from inference.training.data.case import Case

ASKED_AFTER: Final = timedelta(hours=6)
"""Between the film and the question: blood is drawn in the same visit as the film, often a little later."""
NOTE_MAX_AGE_H: Final = 72.0


def case_at(record: PatientRecord, film_at: datetime) -> Case:
    """Return what was known when the question was asked about a film taken at `film_at`, with its time zone."""
    asked_at = film_at + ASKED_AFTER
    values = demographic_values(record.demographics, film_at)
    hours = dict.fromkeys(values, 0.0)
    for key in (slot.key for slot in MEASUREMENTS if slot.key in QUANTITY_OF_KEY):
        measurement, _ = choose_measurement(record, key, asked_at)
        if measurement is not None:
            values[key], hours[key] = measurement.value, age_hours(measurement.taken_at, asked_at)
    note = note_before(record.notes, film_at)
    return Case(values, hours, None if note is None else note.text)


def note_before(notes: tuple[Note, ...], film_at: datetime) -> Note | None:
    """Return the newest note with words that was written before the film was read."""
    known = [note for note in notes if note.written_at <= film_at and note.text.strip()]
    current = [note for note in known if age_hours(note.written_at, film_at) <= NOTE_MAX_AGE_H]
    return max(current, key=lambda note: note.written_at, default=None)
