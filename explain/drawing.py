"""Evidence -> the coordinates of the page's small figures. Knows no HTML, no colours and no fonts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from explain.evidence import Direction, Explanation, ImageEvidence, MeasurementEvidence, NoteEvidence, Span
from explain.regions import AREA_OF_REGION, OUTSIDE, ZONES, Zone
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
    """A stretch of the note, marked or not."""

    text: str
    span: Span | None


@dataclass(frozen=True, slots=True)
class ZoneShare:
    """A region of the film with its share, 0..1, and how dense the evidence is there, 0..1 with the densest 1."""

    zone: Zone
    share: float
    density: float


def steps(explanation: Explanation) -> tuple[Step, ...]:
    """Return one step a modality; whole points that add up to the whole per cent from baseline to answer."""
    points = _whole_points(explanation)
    reached = explanation.baseline
    rows = []
    for share, whole in zip(explanation.shares, points, strict=True):
        direction: Direction = "neutral" if whole == 0 else "for" if whole > 0 else "against"
        left = 100.0 * min(reached, reached + share.points)
        rows.append(Step(share.modality, left, 100.0 * abs(share.points), whole, direction))
        reached += share.points
    return tuple(rows)


def _whole_points(explanation: Explanation) -> list[int]:
    """Round the points so that the rounded figures still add up, moving those that lose least by it."""
    exact = [100.0 * share.points for share in explanation.shares]
    whole = [round(points) for points in exact]
    end = explanation.baseline + sum(share.points for share in explanation.shares)
    lacking = round(100.0 * end) - round(100.0 * explanation.baseline) - sum(whole)
    one = 1 if lacking > 0 else -1
    for place in sorted(range(len(exact)), key=lambda place: one * (whole[place] - exact[place]))[: abs(lacking)]:
        whole[place] += one
    return whole


def scale(measurement: MeasurementEvidence) -> Scale | None:
    """Return where the value stands against its normal range, on the scale the model uses; None without a range."""
    if measurement.normal is None or measurement.key not in SLOT_OF_KEY:
        return None
    low, high = measurement.normal
    at = _place(measurement.key, measurement.value)
    return Scale(
        low=0.0 if low is None else _clamped(_place(measurement.key, low)),
        high=100.0 if high is None else _clamped(_place(measurement.key, high)),
        at=_clamped(at),
        clamped=not 0.0 <= at <= 100.0,
    )


def _place(key: str, value: float) -> float:
    return 50.0 + 50.0 * MEASUREMENTS[SLOT_OF_KEY[key]].standardise(value) / SCALE_ENDS


def _clamped(place: float) -> float:
    return min(100.0, max(0.0, place))


def pull(measurement: MeasurementEvidence, rows: tuple[MeasurementEvidence, ...]) -> float:
    """Return the length of the effect's bar, 0..50, the strongest of all rows being 50."""
    strongest = max((abs(row.effect) for row in rows), default=0.0)
    return 50.0 * abs(measurement.effect) / strongest if strongest else 0.0


def segments(note: NoteEvidence) -> Iterator[Segment]:
    """Return the whole text of the note in order, cut at its spans."""
    behind = 0
    for span in note.spans:
        if span.start > behind:
            yield Segment(note.text[behind : span.start], None)
        yield Segment(note.text[span.start : span.end], span)
        behind = span.end
    if behind < len(note.text):
        yield Segment(note.text[behind:], None)


def zones(image: ImageEvidence) -> tuple[ZoneShare, ...]:
    """Return the regions inside the lungs and between them, where the image has any relevance."""
    share = {region.name: region.share for region in image.regions}
    if not share:
        return ()
    density = {name: part / AREA_OF_REGION[name] for name, part in share.items()}
    densest = max(density.values())
    return tuple(ZoneShare(zone, share[zone.name], density[zone.name] / densest) for zone in ZONES)


def shared_time(rows: tuple[MeasurementEvidence, ...]) -> datetime | None:
    """Return when all measurements were taken, where they were taken together; age and sex do not count."""
    times = {row.taken_at for row in rows if row.key not in DEMOGRAPHICS}
    return times.pop() if len(times) == 1 else None


def described(image: ImageEvidence) -> str:
    """Return the three largest shares in words, for readers who do not see the picture."""
    return ", ".join(f"{region.name} {percent(region.share)}" for region in image.regions[:3])


def outside_share(image: ImageEvidence) -> float:
    """Return the share that lies outside the lungs, 0..1."""
    return next((region.share for region in image.regions if region.name == OUTSIDE), 0.0)
