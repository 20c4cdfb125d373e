from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from fhir_adapter.record import Demographics, Source

SOURCE = Source("Patient/p", "1")


@pytest.mark.parametrize(
    ("born", "day", "months"),
    [
        (date(2023, 3, 5), date(2024, 3, 5), 12),  # over a February of 29 days
        (date(2022, 11, 24), date(2023, 11, 24), 12),
        (date(2020, 2, 29), date(2026, 3, 1), 72),
        (date(2024, 1, 31), date(2024, 1, 31), 0),
    ],
)
def test_birthdays_are_whole_months(born: date, day: date, months: int) -> None:
    """On a birthday a child is that many times twelve months old, whatever lengths the months had."""
    age = Demographics(born, "female", SOURCE).age_months(datetime(day.year, day.month, day.day, 9, tzinfo=UTC))

    assert age is not None
    assert int(age) == months


@pytest.mark.parametrize(
    ("born", "day"), [(date(2022, 3, 5), date(2023, 3, 4)), (date(2018, 7, 31), date(2019, 7, 30))]
)
def test_the_day_before_is_not_yet_a_birthday(born: date, day: date) -> None:
    """The day before the first birthday a child is under twelve months, though only just."""
    age = Demographics(born, "male", SOURCE).age_months(datetime(day.year, day.month, day.day, 23, tzinfo=UTC))

    assert age is not None
    assert 11.9 < age < 12


def test_age_never_falls_from_day_to_day() -> None:
    """A child only gets older, also from one month's end to the next month's start."""
    child = Demographics(date(2023, 1, 31), "male", SOURCE)
    days = [datetime.fromordinal(date(2023, 1, 31).toordinal() + number).replace(tzinfo=UTC) for number in range(800)]
    ages = [child.age_months(day) or 0 for day in days]

    assert ages == sorted(ages)


def test_without_a_birth_date_there_is_no_age() -> None:
    """No age is guessed."""
    assert Demographics(None, "unknown", SOURCE).age_months(datetime(2026, 1, 1, tzinfo=UTC)) is None
