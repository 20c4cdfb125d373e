"""Evidence -> the coordinates of the page's small figures. Knows no HTML, no colours and no fonts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Final

from explain.evidence import Direction, Explanation, ImageEvidence, MeasurementEvidence, NoteEvidence, Span
from explain.structured import DEMOGRAPHICS
from explain.wording import percent
from inference.contract import MEASUREMENTS, SLOT_OF_KEY

SCALE_ENDS: Final = 3.0
"""The scale of a value runs this many of the model's own standard distances to either side; beyond, it is clamped."""


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the way from the baseline to the answer; `left` and `width` in per cent of probability."""

    modality: str
    left: float
    width: float
    points: int
    direction: Direction


@dataclass(frozen=True, slots=True)
class Scale:
    """A value on its scale, all in per cent of the scale's length; the normal range runs from `low` to `high`."""

    low: float
    high: float
    at: float
    clamped: bool


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the note: marked, not marked, or not read by the model."""

    text: str
    span: Span | None
    unread: bool = False


def steps(explanation: Explanation) -> tuple[Step, ...]:
    """Return one step a modality; whole points that add up to the whole per cent from baseline to answer."""
    end = explanation.baseline + sum(share.points for share in explanation.shares)
    whole_way = round(100.0 * end) - round(100.0 * explanation.baseline)
    points = [round(one) for one in rounded([100.0 * share.points for share in explanation.shares], 0, whole_way)]
    reached = explanation.baseline
    rows = []
    for share, whole in zip(explanation.shares, points, strict=True):
        direction: Direction = "neutral" if whole == 0 else "for" if whole > 0 else "against"
        left = 100.0 * min(reached, reached + share.points)
        rows.append(Step(share.modality, left, 100.0 * abs(share.points), whole, direction))
        reached += share.points
    return tuple(rows)


def rounded(exact: Sequence[float], decimals: int, total: float | None = None) -> list[float]:
    """Round numbers so that the rounded figures still add up, moving those that lose least by it.

    Args:
        exact: the numbers.
        decimals: to keep.
        total: what the rounded figures must add up to; their own sum, rounded, where it is not given.
    """
    units = 10**decimals
    whole = [round(units * number) for number in exact]
    lacking = round(units * (sum(exact) if total is None else total)) - sum(whole)
    one = 1 if lacking > 0 else -1
    for place in sorted(range(len(exact)), key=lambda place: one * (whole[place] - units * exact[place]))[
        : abs(lacking)
    ]:
        whole[place] += one
    return [number / units for number in whole]


def scale(measurement: MeasurementEvidence) -> Scale | None:
    """Return where the value stands against its normal range, on the scale the model uses.

    None without a range, and for a value that has no place on the scale: no number, or 0 where it is logarithmic.
    """
    if measurement.normal is None or measurement.key not in SLOT_OF_KEY or not _has_place(measurement):
        return None
    low, high = measurement.normal
    at = _place(measurement.key, measurement.value)
    return Scale(
        low=0.0 if low is None else _clamped(_place(measurement.key, low)),
        high=100.0 if high is None else _clamped(_place(measurement.key, high)),
        at=_clamped(at),
        clamped=not 0.0 <= at <= 100.0,
    )


def _has_place(measurement: MeasurementEvidence) -> bool:
    logarithmic = MEASUREMENTS[SLOT_OF_KEY[measurement.key]].log
    return isfinite(measurement.value) and (measurement.value > 0.0 or not logarithmic)


def _place(key: str, value: float) -> float:
    return 50.0 + 50.0 * MEASUREMENTS[SLOT_OF_KEY[key]].standardise(value) / SCALE_ENDS


def _clamped(place: float) -> float:
    return min(100.0, max(0.0, place))


def pull(measurement: MeasurementEvidence, rows: tuple[MeasurementEvidence, ...]) -> float:
    """Return the length of the effect's bar, 0..50, the strongest of all rows being 50."""
    strongest = max((abs(row.effect) for row in rows), default=0.0)
    return 50.0 * abs(measurement.effect) / strongest if strongest else 0.0


def segments(note: NoteEvidence, end: int | None = None, begin: int = 0) -> Iterator[Segment]:
    """Return the text of the note from `begin` to `end` in order, cut at its spans and at what was not read."""
    behind, end = begin, len(note.text) if end is None else end
    cuts: list[tuple[int, int, Span | None]] = [(span.start, span.end, span) for span in note.spans]
    cuts += [(start, stop, None) for start, stop in note.unread]
    for start, stop, span in sorted(cuts, key=lambda cut: cut[:2]):
        if stop <= behind or start >= end:
            continue
        if start > behind:
            yield Segment(note.text[behind:start], None)
        first, behind = max(start, behind), min(stop, end)
        yield Segment(note.text[first:behind], span, span is None)
    if behind < end:
        yield Segment(note.text[behind:end], None)


def usual_time(rows: tuple[MeasurementEvidence, ...]) -> datetime | None:
    """Return when most of the measurements were taken, the newest of equals; age and sex do not count."""
    times = Counter(row.taken_at for row in rows if row.key not in DEMOGRAPHICS)
    return max(times, key=lambda time: (times[time], time), default=None)


def described(image: ImageEvidence) -> str:
    """Return the three largest shares in words, for readers who do not see the picture."""
    return ", ".join(f"{region.name} {percent(region.share)}" for region in image.regions[:3])
