"""FHIR date, dateTime, instant, Period or Timing -> an aware datetime, or None for anything unreadable.

Rules for what the record leaves open: a missing month, day or time of day is the first one; a missing zone is UTC.
Too old rather than too new, so that a vague reading never passes for a fresh one.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Final

from fhir_adapter.shape import as_dict

# R4 datatypes, dateTime; seconds may be missing here because real servers leave them out, and the midnight that ends
# a day is read although FHIR forbids 24:00: HL7 v2 knows it, and it has one meaning.
_MOMENT: Final = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d:\d\d)(:\d\d(?:\.\d+)?)?(Z|[+-](?:0\d|1[0-3]):[0-5]\d|[+-]14:00)?)?)?)?",
    re.ASCII,
)
_FIRST_YEAR: Final = 1900
"""Older dates are placeholders, not moments of a living patient's record."""
_MIDNIGHT: Final = re.compile(r"(:00(\.0+)?)?")
_A_DAY: Final = timedelta(days=1)


def read_moment(value: object) -> datetime | None:
    """Read a date, dateTime or instant (R4 datatypes)."""
    found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if found is None or int(found[1]) < _FIRST_YEAR:
        return None
    year, month, day, minute, second, zone = found.groups()
    is_day_end = minute == "24:00" and _MIDNIGHT.fullmatch(second or "") is not None
    # Leap seconds are legal in FHIR and unknown to Python.
    second = ":59" if second is not None and second.startswith(":60") else second or ""
    time_of_day = f"{'00:00' if is_day_end else minute or '00:00'}{second}{zone or 'Z'}"
    try:
        moment = datetime.fromisoformat(f"{year}-{month or '01'}-{day or '01'}T{time_of_day}")
        return moment + _A_DAY if is_day_end else moment
    except (ValueError, OverflowError):
        return None


def read_period(value: object) -> datetime | None:
    """Read the end of a Period, or its start where it has not ended."""
    period = as_dict(value)
    return read_moment(period.get("end")) or read_moment(period.get("start"))


def read_timing(value: object) -> datetime | None:
    """Read the last moment of a Timing: of its events, or else of the Period that bounds its repetition."""
    timing = as_dict(value)
    events = timing.get("event")
    moments = [read_moment(event) for event in events] if isinstance(events, list) else []
    last = max((moment for moment in moments if moment is not None), default=None)
    return last or read_period(as_dict(timing.get("repeat")).get("boundsPeriod"))


def read_birth_date(value: object) -> date | None:
    """Read a date; where only the year or month is known, the middle of it, which is wrong by the least."""
    moment = read_moment(value)
    if moment is None or not isinstance(value, str):
        return None
    if len(value) == len("2024"):
        return date(moment.year, 7, 1)
    return date(moment.year, moment.month, 15) if len(value) == len("2024-03") else moment.date()
