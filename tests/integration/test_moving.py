"""Moving a patient in time, offline: without it no comparison with what Synthea wrote would mean anything."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.integration import synthea

pytestmark = pytest.mark.skipif(bool(synthea.why_not()), reason=synthea.why_not() or "the records are there")
NOW = datetime(2031, 6, 1, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        ('"1.2.2020-01-31"', '"1.2.2020-01-31"'),
        ('"seen 2020-01-31"', '"seen 2020-01-31"'),
        ('"2020-01-31 was a Friday"', '"2020-01-31 was a Friday"'),
        ('"2020-01-31"', '"2020-02-01"'),
        ('"2020-02-28T23:59:59.5+01:00"', '"2020-02-29T23:59:59.5+01:00"'),
    ],
)
def test_dates_are_moved_and_nothing_else(text: str, moved: str) -> None:
    """A string that is a date or dateTime gets another day; its time, its zone and every other string stay."""
    assert synthea.moved_by(text, 1) == moved


@pytest.mark.parametrize("name", synthea.NAMES)
def test_patient_stays_the_same_but_for_the_time(name: str) -> None:
    """Moved there and back a patient is what Synthea wrote; and much of it is dates."""
    written = (synthea.FOLDER / f"{name}.json").read_text()
    away = synthea.moved_by(written, 2000)

    assert synthea.moved_by(away, -2000) == written
    assert len(re.findall(r'"20\d\d-\d\d-\d\dT', away)) > 400


@pytest.mark.parametrize("name", synthea.NAMES)
def test_illness_is_of_the_last_day(name: str) -> None:
    """The newest CRP was taken less than a day before the chart is opened."""
    dates = [
        datetime.fromisoformat(one["effectiveDateTime"])
        for one in synthea.resources(name, NOW)
        if one["resourceType"] == "Observation" and synthea.CRP in str(one["code"])
    ]

    assert timedelta(0) <= NOW - max(dates) < timedelta(days=1)
