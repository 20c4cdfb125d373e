"""Which piece of a chart describes the illness at the moment of the question.

What was taken after the question is never used: a chart that is read back later must give the answer of that moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final, TypeVar

Item = TypeVar("Item")

CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far the clocks of a device and of this machine may differ before a time counts as after the question."""


def age_hours(at: datetime, asked_at: datetime) -> float:
    """Return the hours between two moments with time zones, 0 at least."""
    return max((asked_at - at).total_seconds() / 3600, 0.0)


def known_at(items: Iterable[Item], at: Callable[[Item], datetime], asked_at: datetime) -> list[Item]:
    """Return the items that were there at the question, newest first."""
    known = [item for item in items if at(item) <= asked_at + CLOCK_SKEW]
    return sorted(known, key=at, reverse=True)
