"""Note of one case -> the spans that count, found by taking its words away one by one and asking again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from explain.entities import with_entities
from explain.evidence import Span
from explain.methods.inputs import CheckInputs
from explain.methods.variants import Mask, ask_without_tokens, falls, tokens_of
from explain.tested import WordEffect
from explain.text import mark_pieces, read_pieces
from explain.words import Piece
from inference.calibrate import DoubleArray
from inference.contract import CLASSES
from inference.explore import Explorer, Memory

FINDINGS: Final = frozenset({"disease", "symptom"})
SMALLEST_FALL: Final = 0.005
"""Half a point of probability: a word without which the answer moves by less counts for nothing."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A span of the note that counts, characters `start` to `end`.

    Attributes:
        words: what it says where it is a finding of this patient that the note affirms; else empty.
    """

    start: int
    end: int
    words: str


def pieces_of(case: CheckInputs) -> tuple[Piece, ...]:
    """Return the pieces of the note that the model read."""
    return read_pieces(case.text, [(int(start), int(end)) for start, end in case.offsets])


def piece_tokens(case: CheckInputs) -> Mask:
    """Return which tokens stand for each piece of the note, (W, N)."""
    return tokens_of(case, [(piece.start, piece.end) for piece in pieces_of(case)])


def piece_falls(case: CheckInputs, explorer: Explorer, memory: Memory) -> DoubleArray:
    """Return how far the answer's probability falls without each piece of the note, (W,); without a note (0,)."""
    tokens = piece_tokens(case)
    if "text" not in case.modalities or not len(tokens):
        return np.zeros(0)
    return falls(case, ask_without_tokens(case, explorer, memory, tokens))


def counting_spans(case: CheckInputs, effect: DoubleArray) -> tuple[Span, ...]:
    """Mark what counts in the note, whole entities with the words that deny them; `effect` is one a piece (W,)."""
    spans = mark_pieces(case.text, pieces_of(case), effect, SMALLEST_FALL) if len(effect) else ()
    return with_entities(case.text, spans, case.entities)


def ask_without_spans(case: CheckInputs, explorer: Explorer, memory: Memory, spans: tuple[Span, ...]) -> DoubleArray:
    """Answer without each of the spans: probabilities (spans, CLASSES)."""
    if not spans:
        return np.zeros((0, CLASSES))
    ranges = [(span.start, span.end) for span in spans]
    return ask_without_tokens(case, explorer, memory, tokens_of(case, ranges))


def word_effects(case: CheckInputs, spans: tuple[Span, ...], without: DoubleArray) -> tuple[WordEffect, ...]:
    """Return the spans with the fall that each makes, from the answers of `ask_without_spans`.

    A span whose pieces pull the same way one by one may pull by nothing, or the other way, as a whole: the sign of the
    whole is the one that is told.
    """
    points = falls(case, without)
    return tuple(
        WordEffect(span.start, span.end, float(point), span.entities)
        for span, point in zip(spans, points, strict=True)
        if abs(point) >= SMALLEST_FALL
    )


def marks_of(case: CheckInputs, spans: tuple[Span, ...]) -> tuple[Mark, ...]:
    """Return the spans with the words of the findings among them."""
    return tuple(
        Mark(span.start, span.end, case.text[span.start : span.end] if _affirms(span) else "") for span in spans
    )


def _affirms(span: Span) -> bool:
    """Say whether a span holds a finding, and nothing that the note denies or tells of another."""
    findings = any(entity.kind in FINDINGS for entity in span.entities)
    return findings and not any(entity.negated or entity.other for entity in span.entities)
