from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from fhir_adapter.dates import read_birth_date, read_moment, read_period, read_timing

PLUS_2 = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024", datetime(2024, 1, 1, tzinfo=UTC)),
        ("2024-03", datetime(2024, 3, 1, tzinfo=UTC)),
        ("2024-03-05", datetime(2024, 3, 5, tzinfo=UTC)),
        ("2024-03-05T10:00:00Z", datetime(2024, 3, 5, 10, tzinfo=UTC)),
        ("2024-03-05T10:00:00+02:00", datetime(2024, 3, 5, 10, tzinfo=PLUS_2)),
        ("2024-03-05T10:00:00.5Z", datetime(2024, 3, 5, 10, 0, 0, 500_000, tzinfo=UTC)),
        ("2024-03-05T10:00:00.123456789Z", datetime(2024, 3, 5, 10, 0, 0, 123_456, tzinfo=UTC)),
        ("2024-03-05T10:00Z", datetime(2024, 3, 5, 10, tzinfo=UTC)),
        ("2024-03-05T10:00:00", datetime(2024, 3, 5, 10, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2016-12-31T23:59:60.25+00:00", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2024-02-28T24:00:00+02:00", datetime(2024, 2, 29, tzinfo=PLUS_2)),
        ("2024-12-31T24:00Z", datetime(2025, 1, 1, tzinfo=UTC)),
        ("2024-03-05T24:00:00.000Z", datetime(2024, 3, 6, tzinfo=UTC)),
        ("2024-03-05T10:00:00-00:00", datetime(2024, 3, 5, 10, tzinfo=UTC)),
        ("2024-03-05T10:00:00+14:00", datetime(2024, 3, 4, 20, tzinfo=UTC)),
    ],
)
def test_moment_is_always_aware(text: str, moment: datetime) -> None:
    """Every date becomes a moment with a zone; what is missing is the first, and UTC."""
    read = read_moment(text)

    assert read == moment
    assert read.tzinfo is not None


@pytest.mark.parametrize(
    "value",
    [
        "",
        "yesterday",
        "05.03.2024",
        "20240305",
        "2024-13",
        "2024-02-30",
        "2024-03-05T25:00Z",
        "1850",
        "0001-01-01",
        "２０２４",
        None,
        2024,
        20.24,
        [],
        {},
        True,
        "2024-03-05 ",
        "2024-03-05T10Z",
        "2024-W05-1",
        "2024-03-05T10:00:00+99:00",
        "2024-03-05T10:00:00+14:30",
        "2024-03-05T10:00:00+10:60",
        "2024-03-05T24:00:01Z",
        "2024-03-05T24:30Z",
        "2024-03-05T10:60Z",
        "2024-03-05T10:00:61Z",
        "2024-03-05Z",
        "9999-12-31T24:00Z",
    ],
)
def test_anything_else_is_no_moment(value: object) -> None:
    """What is not a FHIR date of our time is unreadable, never an error."""
    assert read_moment(value) is None


@pytest.mark.parametrize(
    ("period", "year"),
    [({"start": "2023", "end": "2024"}, 2024), ({"start": "2023"}, 2023), ({"end": "?", "start": "2023"}, 2023)],
)
def test_period_counts_from_its_end(period: dict[str, str], year: int) -> None:
    """A period is dated by its end, or its start while it lasts."""
    assert read_period(period) == datetime(year, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "born"),
    [
        ("2022-03-05", date(2022, 3, 5)),
        ("2022-03", date(2022, 3, 15)),
        ("2022", date(2022, 7, 1)),
        ("unknown", None),
        (None, None),
        (2022, None),
    ],
)
def test_vague_birth_date_is_the_middle(value: object, born: date | None) -> None:
    """Of a birth date known to the year, the middle is wrong by the least."""
    assert read_birth_date(value) == born


@pytest.mark.parametrize(
    ("timing", "moment"),
    [
        ({"event": ["2024-03-05", "2024-03-06T08:00:00Z", "soon"]}, datetime(2024, 3, 6, 8, tzinfo=UTC)),
        ({"repeat": {"boundsPeriod": {"start": "2024-03-05"}}}, datetime(2024, 3, 5, tzinfo=UTC)),
        ({"event": "2024-03-05"}, None),
        ({"event": [], "repeat": {"frequency": 3}}, None),
        ({"repeat": 5}, None),
        (None, None),
    ],
)
def test_timing_is_its_last_moment(timing: object, moment: datetime | None) -> None:
    """A Timing is dated by the last of its events, or by the end of the time that it covers."""
    assert read_timing(timing) == moment
