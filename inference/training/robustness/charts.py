"""A labelled film -> the chart that a hospital would send with it: the real film, the rest simulated.

Going by the chart, not by arrays, lets everything between a chart and an answer take part: what is too old, not
possible or not English is dropped or refused as it would be at the bedside.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from fhir_adapter.measurements.quantities import QUANTITY_OF_KEY
from fhir_adapter.record import Demographics, Film, Measurement, Note, PatientRecord, Sex, Source
from inference.contract import DIAGNOSES
from inference.training.data.case import Case
from inference.training.data.films import Film as LabelledFilm
from inference.training.data.films import open_grey
from inference.training.encode_cases import cases_of
from inference.training.robustness.degrade_image import Pixels, from_grey
from inference.training.robustness.kind import Subject
from inference.training.robustness.reworded import reworded_note

ASKED_AT: Final = datetime(2026, 1, 28, 12, 0, tzinfo=UTC)
"""The moment of the question, on the last day that every month has."""
AN_HOUR_AGO: Final = ASKED_AT - timedelta(hours=1)
SIMULATED: Final = Source("Basic/simulated", "1")
SEX_OF: Final[dict[float, Sex]] = {1.0: "female", 0.0: "male"}
NOBODY: Final = Demographics(None, "unknown", SIMULATED)


def read_pixels(path: Path) -> Pixels:
    """Read a film as grey 0..1 (H, W), in its own size; raises FolderError as `open_grey` does."""
    return from_grey(open_grey(path))


def born(months: float) -> date:
    """Return the birth date of a patient of an age, to within four days."""
    whole = ASKED_AT.year * 12 + ASKED_AT.month - 1 - int(months)
    days = int((months - int(months)) * 31)
    return date(whole // 12, whole % 12 + 1, max(1, ASKED_AT.day - days))


def demographics_of(months: float | None, female: float | None) -> Demographics:
    """Return birth date and sex, as far as they are known."""
    sex = "unknown" if female is None else SEX_OF[female]
    return Demographics(None if months is None else born(months), sex, SIMULATED)


def measurements_of(case: Case) -> tuple[Measurement, ...]:
    """Return the measurements of a case in the units of their quantities."""
    return tuple(
        Measurement(
            key,
            QUANTITY_OF_KEY[key].loinc[0],
            value,
            QUANTITY_OF_KEY[key].unit,
            ASKED_AT - timedelta(hours=case.hours[key]),
            SIMULATED,
        )
        for key, value in case.values.items()
        if key in QUANTITY_OF_KEY
    )


def film_chart(pixels: Pixels, demographics: Demographics = NOBODY) -> PatientRecord:
    """Return a chart that holds one frontal chest film."""
    return PatientRecord(demographics, films=(Film(pixels, "AP", "CR", "CHEST", AN_HOUR_AGO, SIMULATED),))


def chart_of(pixels: Pixels, case: Case) -> PatientRecord:
    """Return the chart of a film and the case simulated around it."""
    note = () if case.note is None else (Note(case.note, "Emergency note", AN_HOUR_AGO, SIMULATED),)
    demographics = demographics_of(case.values.get("age"), case.values.get("female"))
    return PatientRecord(demographics, measurements_of(case), note, film_chart(pixels).films)


def subjects_of(films: Sequence[LabelledFilm], seed: int) -> list[Subject]:
    """Return the charts of films, with the cases that `mllm-cds evaluate` draws around them."""
    subjects = []
    for film, case in zip(films, cases_of(films, seed, grammar="test"), strict=True):
        name, label = film.path.name, DIAGNOSES[film.label].key
        record = chart_of(read_pixels(film.path), case)
        subjects.append(Subject(name, record, reworded_note(name, label, seed)))
    return subjects
