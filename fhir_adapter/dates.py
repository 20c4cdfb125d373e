"""FHIR date, dateTime, instant or Period -> an aware datetime, or None for anything unreadable.

Rules for what the record leaves open: a missing month, day or time of day is the first one; a missing zone is UTC.
Too old rather than too new, so that a vague reading never passes for a fresh one.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Final

from fhir_adapter.shape import as_dict

# R4 datatypes, dateTime; seconds may be missing here because real servers leave them out.
_MOMENT: Final = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)
_FIRST_YEAR: Final = 1900
"""Older dates are placeholders, not moments of a living patient's record."""


def read_moment(value: object) -> datetime | None:
    """Read a date, dateTime or instant (R4 datatypes)."""
    found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if found is None or int(found[1]) < _FIRST_YEAR:
        return None
    year, month, day, time_of_day = found.groups()
    # Leap seconds are legal in FHIR and unknown to Python.
    text = f"{year}-{month or '01'}-{day or '01'}{(time_of_day or '').replace(':60', ':59')}"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def read_period(value: object) -> datetime | None:
    """Read the end of a Period, or its start where it has not ended."""
    period = as_dict(value)
    return read_moment(period.get("end")) or read_moment(period.get("start"))


def read_birth_date(value: object) -> date | None:
    """Read a date; where only the year or month is known, the middle of it, which is wrong by the least."""
    moment = read_moment(value)
    if moment is None or not isinstance(value, str):
        return None
    if len(value) == len("2024"):
        return date(moment.year, 7, 1)
    return date(moment.year, moment.month, 15) if len(value) == len("2024-03") else moment.date()
