"""What supports an answer: the typed evidence that cards, pages, narratives and FHIR resources are made from.

Two tiers: what comes with the answer (`Explanation` without `tested`), and what a job of low priority finds out about
it afterwards (`explain.tested.Tested`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from explain.facts import Fact
from explain.tested import Tested
from fhir_adapter.record import FilmFile, Modality
from inference.entities import Entity

Direction = Literal["for", "against", "neutral"]


@dataclass(frozen=True, slots=True)
class Region:
    """A named part of the film ("right lower zone"; the patient's right) and its share of the image relevance, 0..1."""

    name: str
    share: float


@dataclass(frozen=True, slots=True)
class PriorFilm:
    """An earlier radiograph of the same patient, shown for comparison; the model did not see it.

    Attributes:
        film_png: as in `ImageEvidence`.
        view: DICOM ViewPosition, or an empty string.
        acquired_at: when it was taken.
        source: versioned FHIR reference.
    """

    film_png: bytes
    view: str
    acquired_at: datetime
    source: str


@dataclass(frozen=True, slots=True)
class ImageEvidence:
    """Where on the film the answer came from.

    Attributes:
        film_png: the radiograph as the page shows it, 8-bit grey PNG, at most 1024 pixels on its longer side.
        heat_png: the film's map as a transparent PNG of the same size, to lie over it; empty until the second tier has
            measured it (`Tested.heat_png`), and where it was withdrawn.
        regions: named regions with a share of the map, largest first; the shares add up to 1. Empty as the map is.
        view: DICOM ViewPosition, or an empty string.
        acquired_at: when the film was taken.
        source: versioned FHIR reference.
        prior: the newest earlier film, or None where there is none.
        file: which file of the image archive it is, or None where it did not come from one.
    """

    film_png: bytes
    heat_png: bytes
    regions: tuple[Region, ...]
    view: str
    acquired_at: datetime
    source: str
    prior: PriorFilm | None = None
    file: FilmFile | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` of the note that count, with their weight (0..1, the largest is 1) and direction.

    Attributes:
        entities: what the model took the words for, in reading order; empty where they name no disease, symptom,
            medication or treatment.
    """

    start: int
    end: int
    weight: float
    direction: Direction
    entities: tuple[Entity, ...] = ()


@dataclass(frozen=True, slots=True)
class NoteEvidence:
    """The note the model read and what it marked in it; spans are sorted and do not overlap."""

    text: str
    title: str
    spans: tuple[Span, ...]
    written_at: datetime
    source: str
    truncated: bool
    """True when the note was longer than the model reads."""
    unread: tuple[tuple[int, int], ...] = ()
    """Characters (start, end) that the model did not see; sorted, and no span lies in them."""


@dataclass(frozen=True, slots=True)
class Reading:
    """An earlier or later value of the same measurement, in the same unit."""

    value: float
    taken_at: datetime
    source: str


@dataclass(frozen=True, slots=True)
class MeasurementEvidence:
    """One measurement, its normal range, and how it pulls the answer.

    Attributes:
        key: key of the slot in `inference.contract.MEASUREMENTS`.
        normal: lower and upper limit of the normal range, each None where there is none.
        effect: signed: by how much the log-odds of the answer fall without the value, beside the film and with the note
            left aside; positive speaks for the answer. A first estimate: the exact contribution is `Tested.groups`.
        outside: True when the value lies outside the normal range.
        history: every reading of the record, this one included, oldest first; empty for age and sex.
    """

    key: str
    name: str
    value: float
    unit: str
    normal: tuple[float | None, float | None] | None
    effect: float
    outside: bool
    taken_at: datetime
    source: str
    history: tuple[Reading, ...] = ()

    @property
    def direction(self) -> Direction:
        """Which way the measurement pulls; effects under 0.02 logits are none."""
        return "neutral" if abs(self.effect) < 0.02 else "for" if self.effect > 0 else "against"


@dataclass(frozen=True, slots=True)
class Share:
    """A modality's exact Shapley contribution to the probability of the answer.

    Attributes:
        points: signed change of the probability, -1..1; over all modalities they add up to
            the probability with everything minus the probability with nothing.
        share: |points| over the sum of all |points|, 0..1.
    """

    modality: Modality
    points: float
    share: float


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of the narrative, with what it stands on.

    Attributes:
        text: the sentence.
        direction: whether it speaks for or against the answer.
        modality: where its evidence is shown on the page, or None for a sentence about the answer itself.
        sources: versioned FHIR references of the evidence.
        facts: every value, quotation, region, probability and share that the sentence states; a narrator may say
            nothing that is not among them.
    """

    text: str
    direction: Direction
    modality: Modality | None
    sources: tuple[str, ...]
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything a page shows beside the prediction; all parts may be missing but the claims."""

    shares: tuple[Share, ...]
    baseline: float
    """Probability of the answer with all three modalities absent: where the shares start from."""
    image: ImageEvidence | None
    note: NoteEvidence | None
    measurements: tuple[MeasurementEvidence, ...]
    claims: tuple[Claim, ...]
    missing: tuple[str, ...]
    """One clause each: what was not available and why."""
    test_data: bool = False
    """True when the chart is marked as that of no real person."""
    patient: str = ""
    """Versioned FHIR reference of the patient; empty where the chart came without one."""
    tested: Tested | None = None
    """What the second tier found out; None while it is being checked."""
