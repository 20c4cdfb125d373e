"""FHIR dates of any precision as intervals, and how a search compares them (FHIR R4 search, 3.1.1.4.7)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

EARLIEST: Final = datetime(1, 1, 2, tzinfo=UTC)
LATEST: Final = datetime(9999, 12, 30, tzinfo=UTC)
_PARTS: Final = re.compile(
    r"(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)"
    r"(T(?P<hour>\d\d):(?P<minute>\d\d)(:(?P<second>\d\d)(?P<fraction>\.\d+)?)?(?P<zone>Z|[+-]\d\d:\d\d)?)?)?)?"
)


class Interval(NamedTuple):
    """A stretch of time from `start` up to, but not with, `end`."""

    start: datetime
    end: datetime


Comparison = Callable[[Interval], bool]


@lru_cache(maxsize=4096)
def parse_date(text: str) -> Interval:
    """Return the stretch of time that a FHIR date, dateTime or instant covers; without a zone it is read as UTC.

    Raises:
        ValueError: it is no FHIR date.
    """
    match = _PARTS.fullmatch(text)
    if match is None:
        raise ValueError("not a FHIR date")
    parts = match.groupdict()
    numbers = [int(parts[name] or least) for name, least in _LEAST]
    zone = datetime.fromisoformat(f"2000-01-01T00:00:00{parts['zone'] or 'Z'}").tzinfo
    start = datetime(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], tzinfo=zone)
    if parts["fraction"]:
        start += timedelta(seconds=float(parts["fraction"]))
        return Interval(start, start + timedelta(milliseconds=1))
    finest = next(name for name in reversed([name for name, _ in _LEAST]) if parts[name] is not None)
    return Interval(start, _after(start, finest))


_LEAST: Final = (("year", 1), ("month", 1), ("day", 1), ("hour", 0), ("minute", 0), ("second", 0))


def _after(start: datetime, precision: str) -> datetime:
    """Return the first moment behind a year, month, day, minute or second."""
    if precision == "year":
        return start.replace(year=start.year + 1)
    if precision == "month":
        return (start + timedelta(days=31)).replace(day=1)
    return start + timedelta(**{f"{precision}s": 1})


COMPARISONS: Final[dict[str, Callable[[Interval, Interval], bool]]] = {
    "eq": lambda have, asked: asked.start <= have.start and have.end <= asked.end,
    "ne": lambda have, asked: not (asked.start <= have.start and have.end <= asked.end),
    "gt": lambda have, asked: have.end > asked.end,
    "lt": lambda have, asked: have.start < asked.start,
    "ge": lambda have, asked: have.end > asked.end or (asked.start <= have.start and have.end <= asked.end),
    "le": lambda have, asked: have.start < asked.start or (asked.start <= have.start and have.end <= asked.end),
    "sa": lambda have, asked: have.start >= asked.end,
    "eb": lambda have, asked: have.end <= asked.start,
}


def comparison_of(asked: str) -> Comparison:
    """Return what tells whether a resource's time meets a search value such as `ge2026-11-21`.

    Raises:
        ValueError: the value is no date.
    """
    prefix, text = (asked[:2], asked[2:]) if asked[:2] in COMPARISONS else ("eq", asked)
    compare, interval = COMPARISONS[prefix], parse_date(text)
    return lambda have: compare(have, interval)
