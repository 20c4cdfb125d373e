from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from fhir_adapter.record import Demographics, Measurement, Note, PatientRecord, Source
from inference.training.data.moment import case_at

FILM_AT = datetime(2024, 3, 4, 10, tzinfo=UTC)
SOURCE = Source("Observation/1", "1")
CHILD = Demographics(date(2021, 3, 4), "female", SOURCE)


def crp(value: float, hours_after: float) -> Measurement:
    return Measurement("crp", "1988-5", value, "mg/L", FILM_AT + timedelta(hours=hours_after), SOURCE)


def note(text: str, hours_after: float) -> Note:
    return Note(text, "Note", FILM_AT + timedelta(hours=hours_after), SOURCE)


def test_age_and_sex_are_those_at_the_film() -> None:
    """A child who turns three on the day of the film is 36 months old, with nothing measured."""
    case = case_at(PatientRecord(CHILD), FILM_AT)

    assert (case.values, case.note) == ({"age": 36.0, "female": 1.0}, None)
    assert case.hours == {"age": 0.0, "female": 0.0}


@pytest.mark.parametrize(("hours_after", "hours"), [(-80, None), (-1, 7.0), (5, 1.0), (7, None)])
def test_results_count_until_the_question_is_asked(hours_after: float, hours: float | None) -> None:
    """Six hours after the film the question is asked: what comes later, or is stale by then, is not known."""
    case = case_at(PatientRecord(CHILD, (crp(40, hours_after),)), FILM_AT)

    assert case.hours.get("crp") == hours


def test_newest_possible_result_counts() -> None:
    """As at the bedside: of two values the later, and never one that no patient can have."""
    case = case_at(PatientRecord(CHILD, (crp(9e9, 3), crp(40, 1), crp(20, 0))), FILM_AT)

    assert case.values["crp"] == 40


@pytest.mark.parametrize(("hours_after", "read"), [(-1, True), (0, True), (0.01, False), (-73, False)])
def test_note_was_there_before_the_film_was_read(hours_after: float, *, read: bool) -> None:
    """A note written after the film may hold the radiologist's answer; one of last week is of another illness."""
    case = case_at(PatientRecord(CHILD, notes=(note("Cough.", hours_after), note("  ", -0.5))), FILM_AT)

    assert case.note == ("Cough." if read else None)
