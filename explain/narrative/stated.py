"""Evidence -> the facts that sentences are rendered from, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, cast

from explain.entities import remark
from explain.evidence import ImageEvidence, MeasurementEvidence, NoteEvidence, Region, Share, Span
from explain.facts import ChanceFact, Fact, QuoteFact, RegionFact, ShareFact, ValueFact
from explain.wording import level
from fhir_adapter.record import Modality
from inference.prediction import Prediction

Level = Literal["high", "low", "normal", ""]


def value_fact(row: MeasurementEvidence) -> ValueFact:
    """State a measurement, or age or sex."""
    return ValueFact(
        key=row.key,
        name=row.name,
        value=row.value,
        unit=row.unit,
        level=cast(Level, level(row)),
        normal=row.normal,
        taken_at=row.taken_at,
        source=row.source,
    )


def quote_fact(note: NoteEvidence, span: Span) -> QuoteFact:
    """State words of the note, and what is so of all findings in them."""
    words = note.text[span.start : span.end]
    return QuoteFact(words, span.start, span.end, remark(span.entities), note.written_at, note.source)


def region_fact(image: ImageEvidence, region: Region) -> RegionFact:
    """State a region of the film."""
    return RegionFact(region.name, region.share, image.source)


def answer_fact(prediction: Prediction) -> ChanceFact:
    """State the answer and its probability."""
    return ChanceFact(prediction.top.diagnosis.key, prediction.top.probability, "everything")


def start_fact(prediction: Prediction, baseline: float) -> ChanceFact:
    """State what the model says of the answer with nothing to go on."""
    return ChanceFact(prediction.top.diagnosis.key, baseline, "nothing")


def share_facts(shares: Iterable[Share], *wanted: Modality) -> tuple[ShareFact, ...]:
    """State the exact shares of some modalities; of those that have none, nothing."""
    return tuple(ShareFact(share.modality, share.points) for share in shares if share.modality in wanted)


def sources_of(facts: Iterable[Fact]) -> tuple[str, ...]:
    """Return the references that facts were read from, each once."""
    return tuple(dict.fromkeys(fact.source for fact in facts if isinstance(fact, (ValueFact, QuoteFact, RegionFact))))
