"""Readings of one measurement -> the small plot of its course. Knows no HTML, no colours and no fonts."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Final

from explain.evidence import MeasurementEvidence, Reading

WIDTH: Final = 64.0
HEIGHT: Final = 18.0
_EDGE: Final = 3.0
MOST: Final = 50
"""Readings in one plot, the newest: more would lie on each other."""


@dataclass(frozen=True, slots=True)
class Trend:
    """The course of a measurement, in a box of WIDTH x HEIGHT, y downwards.

    Attributes:
        points: (x, y) of each reading, oldest first, at distances in time.
        band: (top, bottom) of the normal range where it crosses the plot, or None.
        first: oldest reading drawn.
        last: newest reading drawn.
        left_out: readings that are no numbers, and cannot be drawn.
        earlier: readings before the first one drawn.
    """

    points: tuple[tuple[float, float], ...]
    band: tuple[float, float] | None
    first: Reading
    last: Reading
    left_out: int
    earlier: int

    @property
    def line(self) -> str:
        """The points as SVG writes them."""
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in self.points)


def trend(row: MeasurementEvidence) -> Trend | None:
    """Return the plot of a measurement with at least two readings that are numbers, else None."""
    numbers = sorted((one for one in row.history if isfinite(one.value)), key=lambda one: one.taken_at)
    drawn = numbers[-MOST:]
    if len(drawn) < 2:
        return None
    low, high = min(one.value for one in drawn), max(one.value for one in drawn)
    return Trend(
        points=tuple(zip(_places(drawn), (_height(one.value, low, high) for one in drawn), strict=True)),
        band=_band(row, low, high),
        first=drawn[0],
        last=drawn[-1],
        left_out=len(row.history) - len(numbers),
        earlier=len(numbers) - len(drawn),
    )


def _places(drawn: list[Reading]) -> list[float]:
    """Spread the readings by time, or evenly where all were taken at once."""
    begin, end = drawn[0].taken_at, drawn[-1].taken_at
    whole = (end - begin).total_seconds()
    parts = [(one.taken_at - begin).total_seconds() / whole for one in drawn] if whole else _even(len(drawn))
    return [_EDGE + (WIDTH - 2 * _EDGE) * part for part in parts]


def _even(number: int) -> list[float]:
    return [place / (number - 1) for place in range(number)]


def _height(value: float, low: float, high: float) -> float:
    """Place a value between the smallest, at the bottom, and the largest; halves first, as the span may overflow."""
    span = high / 2 - low / 2
    part = (value / 2 - low / 2) / span if span else 0.5
    return HEIGHT - _EDGE - (HEIGHT - 2 * _EDGE) * part


def _band(row: MeasurementEvidence, low: float, high: float) -> tuple[float, float] | None:
    """Return where the normal range lies in the plot, cut at its edges; None where it lies outside, or is not known."""
    lower, upper = row.normal or (None, None)
    if lower is None and upper is None:
        return None
    if low == high:
        within = (lower is None or low >= lower) and (upper is None or low <= upper)
        return (0.0, HEIGHT) if within else None
    top = 0.0 if upper is None else _cut(_height(upper, low, high))
    bottom = HEIGHT if lower is None else _cut(_height(lower, low, high))
    return (top, bottom) if bottom > top else None


def _cut(height: float) -> float:
    return min(HEIGHT, max(0.0, height))
