"""Second tier: the same claims once they have been tested, with measured figures and without what did not hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from explain.evidence import Claim, Direction, Explanation
from explain.facts import ChanceFact, Fact, QuoteFact, ValueFact
from explain.narrative.choice import (
    Evidence,
    direction_of,
    measured_regions,
    measured_words,
    strongest_groups,
    telling_regions,
)
from explain.narrative.first import given_modalities, of_answer, of_film, of_words, tell
from explain.narrative.sentences import write
from explain.narrative.stated import answer_fact, quote_fact, share_facts, value_fact
from explain.tested import Tested
from fhir_adapter.record import Modality
from inference.prediction import Prediction, Verdict

Group = tuple[float, list[ValueFact]]
"""Exact points of a clinical group, and its values."""


def retell(prediction: Prediction, explanation: Explanation, tested: Tested) -> tuple[Claim, ...]:
    """Return the claims again, after the evidence was tested.

    A modality whose marks do not beat chance keeps its exact share, and a sentence says that its marks are withdrawn.
    Values are told with the exact points of their clinical group, zones by the map that covering them gave, words by
    what taking them away does.
    """
    evidence = Evidence.of(explanation)
    if prediction.verdict is Verdict.OUT_OF_SCOPE:
        return tell(prediction, evidence)
    answer = answer_fact(prediction)
    parts = (_film(evidence, answer, tested), _values(evidence, answer, tested), _words(evidence, answer, tested))
    told = [part for part in parts if part is not None]
    against = _against(evidence, answer, tested, {claim.modality for claim in told})
    return (of_answer(prediction, evidence), *told, *against)


def _withdrawn(evidence: Evidence, answer: ChanceFact, modality: Modality) -> Claim:
    """Say that the marks of a modality are withdrawn; its share is exact and stays."""
    shares = share_facts(evidence.shares, modality)
    sources = {
        "image": (evidence.image.source,) if evidence.image else (),
        "text": (evidence.note.source,) if evidence.note else (),
        "structured": tuple(dict.fromkeys(row.source for row in evidence.measurements)),
    }[modality]
    direction = direction_of(shares[0].points) if shares else "neutral"
    return write("withdrawn", direction, modality, (answer, *shares), about=modality, sources=sources)


def _film(evidence: Evidence, answer: ChanceFact, tested: Tested) -> Claim | None:
    """Tell the film by the map that was measured on it, with what covering the zone it names first does."""
    if evidence.image is None:
        return None
    if not tested.holds("image"):
        return _withdrawn(evidence, answer, "image")
    measured = replace(evidence, image=replace(evidence.image, regions=measured_regions(tested)))
    first = next((region.name for region in telling_regions(measured_regions(tested))), "")
    return of_film(measured, answer, [zone for zone in tested.zones if zone.name == first])


def _groups(evidence: Evidence, tested: Tested, direction: Direction) -> list[Group]:
    row_of = {row.key: row for row in evidence.measurements}
    groups = [
        (group.points, [value_fact(row_of[key]) for key in group.members if key in row_of])
        for group in strongest_groups(tested, direction)
    ]
    return [(points, values) for points, values in groups if values]


def _values(evidence: Evidence, answer: ChanceFact, tested: Tested) -> Claim | None:
    if not evidence.measurements:
        return None
    if not tested.holds("structured"):
        return _withdrawn(evidence, answer, "structured")
    groups = _groups(evidence, tested, "for")
    if not groups:
        return None
    facts: tuple[Fact, ...] = (answer, *_members(groups), *share_facts(evidence.shares, "structured"))
    return write("groups", "for", "structured", facts, groups=groups)


def _members(groups: list[Group]) -> Iterator[ValueFact]:
    for _, values in groups:
        yield from values


def _words(evidence: Evidence, answer: ChanceFact, tested: Tested) -> Claim | None:
    if evidence.note is not None and not tested.holds("text"):
        return _withdrawn(evidence, answer, "text")
    return of_words(evidence, answer, _quotes(evidence, tested, "for"))


def _quotes(evidence: Evidence, tested: Tested, direction: Direction) -> tuple[QuoteFact, ...]:
    note = evidence.note
    if note is None or not tested.holds("text"):
        return ()
    return tuple(quote_fact(note, span) for span in measured_words(tested, direction))


def _against(evidence: Evidence, answer: ChanceFact, tested: Tested, said: set[Modality | None]) -> Iterator[Claim]:
    """Yield what speaks against the answer, or that nothing does; nothing where all of it is withdrawn."""
    groups = _groups(evidence, tested, "against") if tested.holds("structured") else []
    quotes = _quotes(evidence, tested, "against")
    untold = [modality for modality in given_modalities(evidence) if modality not in said]
    facts: tuple[Fact, ...] = (answer, *_members(groups), *quotes, *share_facts(evidence.shares, *untold))
    looked = [
        *(["value"] if tested.holds("structured") else []),
        *(["word"] if tested.holds("text") else []),
    ]
    if groups or quotes:
        modality: Modality = "structured" if groups else "text"
        yield write("groups_against", "against", modality, facts, groups=groups)
    elif looked:
        yield write("none_against", "neutral", None, facts, looked=looked)
