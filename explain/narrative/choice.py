"""Evidence -> the few values, words and zones that are worth a sentence. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Final, Self

from explain.evidence import (
    Direction,
    Explanation,
    ImageEvidence,
    MeasurementEvidence,
    NoteEvidence,
    Region,
    Share,
    Span,
)
from explain.regions import AREA_OF_REGION, OUTSIDE
from explain.tested import GroupShare, Tested
from explain.wording import SMALLEST_POINT

MOST_NAMED: Final = 3
"""Values, and quoted words, that one sentence names."""
NAMED_FROM: Final = 0.15
"""A value is named when its effect reaches this part of the strongest value's."""
REGION_FROM: Final = 0.15
"""A region stands out when it holds this share of the image evidence, and …"""
REGION_ABOVE_EVEN: Final = 1.5
"""… this many times what an even spread would give it."""
MOST_REGIONS: Final = 2


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the sentences are made from: the parts of an `Explanation` that are there before its claims are."""

    shares: tuple[Share, ...]
    baseline: float
    image: ImageEvidence | None
    note: NoteEvidence | None
    measurements: tuple[MeasurementEvidence, ...]

    @classmethod
    def of(cls, whole: Explanation) -> Self:
        """Return the evidence of a finished explanation."""
        return cls(whole.shares, whole.baseline, whole.image, whole.note, whole.measurements)

    @property
    def sources(self) -> tuple[str, ...]:
        """References of everything the model was given, each once."""
        whole = (self.image, self.note, *self.measurements)
        return tuple(dict.fromkeys(piece.source for piece in whole if piece is not None))


def direction_of(points: float) -> Direction:
    """Return which way a signed change of the probability pulls."""
    return "neutral" if abs(points) < SMALLEST_POINT else "for" if points > 0 else "against"


def strongest_values(rows: tuple[MeasurementEvidence, ...], direction: Direction) -> tuple[MeasurementEvidence, ...]:
    """Return the values that pull one way and are worth naming, strongest first."""
    least = NAMED_FROM * max((abs(row.effect) for row in rows), default=0.0)
    named = [row for row in rows if row.direction == direction and abs(row.effect) >= least and isfinite(row.value)]
    return tuple(sorted(named, key=lambda row: -abs(row.effect))[:MOST_NAMED])


def strongest_spans(note: NoteEvidence | None, direction: Direction) -> tuple[Span, ...]:
    """Return the marked words that pull one way, strongest first."""
    spans = [span for span in note.spans if span.direction == direction] if note else []
    return tuple(sorted(spans, key=lambda span: -span.weight)[:MOST_NAMED])


def measured_words(tested: Tested, direction: Direction) -> tuple[Span, ...]:
    """Return the words whose absence was measured to move the answer most, one way, as spans, strongest first."""
    strongest = max((abs(effect.points) for effect in tested.words), default=0.0)
    spans = [
        Span(effect.start, effect.end, abs(effect.points) / strongest, direction, effect.entities)
        for effect in tested.words
        if (effect.points > 0.0 if direction == "for" else effect.points < 0.0)
        and abs(effect.points) >= NAMED_FROM * strongest
    ]
    return tuple(sorted(spans, key=lambda span: -span.weight)[:MOST_NAMED])


def measured_regions(tested: Tested) -> tuple[Region, ...]:
    """Return the parts of the film in the map that was measured by covering them, largest share first."""
    regions = [Region(zone.name, zone.share) for zone in tested.zones]
    return tuple(sorted(regions, key=lambda region: -region.share)) if any(one.share for one in regions) else ()


def strongest_groups(tested: Tested, direction: Direction) -> tuple[GroupShare, ...]:
    """Return the clinical groups that move the answer one way and are worth naming, strongest first."""
    least = NAMED_FROM * max((abs(group.points) for group in tested.groups), default=0.0)
    named = [group for group in tested.groups if direction_of(group.points) == direction and abs(group.points) >= least]
    return tuple(sorted(named, key=lambda group: -abs(group.points))[:MOST_NAMED])


def telling_regions(regions: tuple[Region, ...]) -> tuple[Region, ...]:
    """Return the regions to name, largest first: that it lies outside the lungs more than by chance before all else.

    Empty when there is no relevance, or when it is spread over the film.
    """
    outside = [region for region in regions if region.name == OUTSIDE and region.share > AREA_OF_REGION[OUTSIDE]]
    clear = [region for region in regions if region.name != OUTSIDE and _stands_out(region)]
    return tuple(outside or clear[:MOST_REGIONS])


def _stands_out(region: Region) -> bool:
    return region.share >= max(REGION_FROM, REGION_ABOVE_EVEN * AREA_OF_REGION[region.name])
