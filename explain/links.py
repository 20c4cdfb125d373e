"""Claims -> the numbered sentences of the page, each tied to the pieces of evidence that it stands on.

A piece is a row of the measurements, a marked span of the note or a region of the film; its name is its element's id.
A sentence whose evidence was withdrawn is withdrawn with it: it would cite what the page no longer shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from explain.evidence import Claim, Direction, Explanation, Span
from explain.facts import Fact, QuoteFact, RegionFact, ValueFact
from fhir_adapter.record import Modality

_MODALITY_OF: Final[dict[str, Modality]] = {"region": "image", "quote": "text", "value": "structured"}


@dataclass(frozen=True, slots=True)
class Citation:
    """A link from a sentence to its evidence on the page."""

    anchor: str
    label: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence as the page shows it.

    Attributes:
        number: from 1, in reading order; evidence names it by this number.
        pieces: what it lights.
        sources: versioned FHIR references.
    """

    number: int
    text: str
    direction: Direction
    pieces: tuple[str, ...]
    citations: tuple[Citation, ...]
    sources: tuple[str, ...]


def value_piece(key: str) -> str:
    """Name the row of a measurement."""
    return f"value-{key}"


def span_piece(span: Span) -> str:
    """Name a marked span of the note."""
    return f"span-{span.start}"


def zone_piece(name: str) -> str:
    """Name a region of the film: "zone-right-lower-zone"."""
    return "zone-" + "-".join("".join(sign if sign.isalnum() else " " for sign in name.lower()).split())


def holds(explanation: Explanation, modality: Modality) -> bool:
    """Return whether the marks of a modality are shown: they beat chance, or have not been tested."""
    return explanation.tested is None or explanation.tested.holds(modality)


def sentences(explanation: Explanation) -> tuple[Sentence, ...]:
    """Return the sentences to show: a narrator's where one was accepted, else those of the claims."""
    kept = [(claims, text) for claims, text in _written(explanation) if not _withdrawn(claims, explanation)]
    return tuple(_sentence(place, claims, text, explanation) for place, (claims, text) in enumerate(kept, start=1))


def withdrawn(explanation: Explanation) -> int:
    """Return how many sentences are not shown because their evidence is withdrawn."""
    return sum(_withdrawn(claims, explanation) for claims, _ in _written(explanation))


def naming(piece: str, told: tuple[Sentence, ...]) -> tuple[int, ...]:
    """Return the numbers of the sentences that stand on a piece of evidence."""
    return tuple(sentence.number for sentence in told if piece in sentence.pieces)


def _written(explanation: Explanation) -> list[tuple[tuple[Claim, ...], str]]:
    """Return each sentence with the claims behind it, whether or not its evidence holds.

    A narrator's text that repeats claims which are not here was written for others, and is not shown.
    """
    told = explanation.tested.told if explanation.tested else None
    known = range(len(explanation.claims))
    if told is None or not told.sentences or any(place not in known for one in told.sentences for place in one.claims):
        return [((claim,), claim.text) for claim in explanation.claims]
    return [(tuple(explanation.claims[place] for place in one.claims), one.text) for one in told.sentences]


def _withdrawn(claims: tuple[Claim, ...], explanation: Explanation) -> bool:
    stands_on = {_MODALITY_OF[fact.kind] for claim in claims for fact in claim.facts if fact.kind in _MODALITY_OF}
    return any(not holds(explanation, modality) for modality in stands_on)


def _sentence(number: int, claims: tuple[Claim, ...], text: str, explanation: Explanation) -> Sentence:
    directions = {claim.direction for claim in claims}
    facts = [fact for claim in claims for fact in claim.facts]
    return Sentence(
        number=number,
        text=text,
        direction=directions.pop() if len(directions) == 1 else "neutral",
        pieces=tuple(dict.fromkeys(piece for fact in facts for piece in _pieces(fact, explanation))),
        citations=tuple(dict.fromkeys(cited for claim in claims for cited in _citations(claim, explanation))),
        sources=tuple(dict.fromkeys(source for claim in claims for source in claim.sources)),
    )


def _pieces(fact: Fact, explanation: Explanation) -> Iterator[str]:
    if isinstance(fact, ValueFact):
        yield value_piece(fact.key)
    elif isinstance(fact, RegionFact):
        yield zone_piece(fact.name)
    elif isinstance(fact, QuoteFact) and explanation.note:
        yield from (
            span_piece(span) for span in explanation.note.spans if span.start < fact.end and fact.start < span.end
        )


def _citations(claim: Claim, explanation: Explanation) -> Iterator[Citation]:
    """Yield links to the panels whose evidence a claim states; none for a claim on the answer as a whole."""
    stated = {fact.kind for fact in claim.facts}
    if explanation.image and (claim.modality == "image" or "region" in stated):
        yield Citation("film", "Radiograph")
    if explanation.note and "quote" in stated:
        yield Citation("note", "Note")
    if claim.modality is not None and "value" in stated:
        yield Citation("values", "Measurements")
