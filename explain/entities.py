"""Marked spans and the named entities of a note -> spans that hold whole entities, and what they are called.

A mark names what it stands on. The entities do not say what counts for the answer: that is the effect's part alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from explain.evidence import Span
from explain.words import Piece, pieces
from inference.entities import Entity, Kind

DENIED: Final[dict[Kind, str]] = {
    "disease": "denied",
    "symptom": "denied",
    "medication": "not given",
    "treatment": "not given",
}
ELSEWHERE: Final = "about someone else or the past"


def with_entities(text: str, spans: tuple[Span, ...], entities: Sequence[Entity]) -> tuple[Span, ...]:
    """Widen each span to the whole entities it touches, with the words that deny them, and name them.

    Spans that meet by it and pull the same way become one. A span never grows into one that pulls the other way.

    Args:
        text: the note.
        spans: sorted and apart.
        entities: in reading order and apart.
    """
    parts = pieces(text)
    wide = _joined([_widened(span, entities, parts) for span in spans], spans)
    return tuple(replace(span, entities=tuple(_touched(span, entities))) for span in wide)


def names(entities: Sequence[Entity]) -> str:
    """Return what entities are, each said once: "symptom, denied; disease, about someone else or the past"."""
    return "; ".join(dict.fromkeys(_name(entity) for entity in entities))


def remark(entities: Sequence[Entity]) -> str:
    """Return what is so of all entities of a quotation and could be overlooked in it; empty where there is nothing."""
    facts = [
        *(["denied in the note"] if entities and all(entity.negated for entity in entities) else []),
        *([ELSEWHERE] if entities and all(entity.other for entity in entities) else []),
    ]
    return ", ".join(facts)


def _name(entity: Entity) -> str:
    facts = [DENIED[entity.kind]] if entity.negated else []
    return ", ".join([entity.kind, *facts, *([ELSEWHERE] if entity.other else [])])


def _touched(span: Span, entities: Sequence[Entity]) -> list[Entity]:
    return [entity for entity in entities if entity.start < span.end and span.start < entity.end]


def _widened(span: Span, entities: Sequence[Entity], parts: Sequence[Piece]) -> Span:
    start, end = span.start, span.end
    for entity in _touched(span, entities):
        denial = _denial(entity, parts) if entity.negated else (entity.start, entity.end)
        start, end = min(start, entity.start, denial[0]), max(end, entity.end, denial[1])
    return replace(span, start=start, end=end)


def _denial(entity: Entity, parts: Sequence[Piece]) -> tuple[int, int]:
    """Return the characters that deny an entity: the negation it stands in, or its whole part of the sentence.

    The model reads denials in words that `explain.words` does not know as such ("ruled out"): a reader must see them.
    """
    own = [piece for piece in parts if piece.start < entity.end and entity.start < piece.end]
    if not any(piece.denies for piece in own):
        own = [piece for piece in parts if piece.part in {one.part for one in own}]
    return min((piece.start for piece in own), default=entity.start), max((p.end for p in own), default=entity.end)


def _joined(wide: Sequence[Span], narrow: Sequence[Span]) -> list[Span]:
    """Join spans that met by widening; towards one that pulls the other way a span stays as narrow as it was."""
    joined: list[Span] = []
    for new, old in zip(wide, narrow, strict=True):
        opposite = [span for span in narrow if span.direction != old.direction]
        # What was widened before this one counts with its new end.
        behind = [
            span.end for span in (*opposite, *joined) if span.start < old.start and span.direction != old.direction
        ]
        start = new.start if max(behind, default=0) <= new.start else old.start
        end = old.end if any(old.end <= span.start < new.end for span in opposite) else new.end
        span = replace(old, start=start, end=end)
        if joined and span.start < joined[-1].end:
            last = joined.pop()
            weight = min(1.0, last.weight + span.weight)
            span = replace(last, start=min(last.start, start), end=max(last.end, end), weight=weight)
        joined.append(span)
    return joined
