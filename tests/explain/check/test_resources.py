"""The checker's own reading of dates."""

from datetime import UTC, datetime

import pytest

from explain.check.resources import moment, moment_of_timing

MORNING = datetime(2026, 11, 24, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-11-23T24:00:00Z", datetime(2026, 11, 24, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2026-11", datetime(2026, 11, 1, tzinfo=UTC)),
        ("9999-12-31T24:00:00Z", None),
        ("soon", None),
        (None, None),
    ],
)
def test_moment(written: object, read: datetime | None) -> None:
    """A day may end at 24:00, a minute at second 60; what is no date is none."""
    assert moment(written) == read


@pytest.mark.parametrize(
    ("timing", "read"),
    [
        ({"event": ["2026-11-24T08:00:00Z", "2026-11-23", "soon"]}, MORNING),
        ({"repeat": {"boundsPeriod": {"end": "2026-11-24T08:00:00Z"}}}, MORNING),
        ({"event": 5, "repeat": []}, None),
        (None, None),
    ],
)
def test_timing(timing: object, read: datetime | None) -> None:
    """A Timing is dated by its last event, or by the time that bounds it."""
    assert moment_of_timing(timing) == read
