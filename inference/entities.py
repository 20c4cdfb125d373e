"""Tag logits of a note's word pieces -> named entities: diseases, symptoms, medications and treatments.

This module knows nothing of how the tags were learned, and needs nothing but NumPy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt

Kind = Literal["disease", "symptom", "medication", "treatment"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
OUTSIDE: Final = 0
"""Column of a piece that belongs to no entity; behind it each of `KINDS` has two, begin and inside."""
BIO_TAGS: Final = 1 + 2 * len(KINDS)
NEGATED: Final = BIO_TAGS
"""Column of a term that the note denies, says is absent, or was not given."""
OTHER: Final = BIO_TAGS + 1
"""Column of a term about someone else, or about an illness that is over: not this patient now."""
TAGS: Final = BIO_TAGS + 2
"""Logits a word piece: the first `BIO_TAGS` compete with each other, the last two each stand alone."""

_SENTENCE_END: Final = re.compile(r"[.;!?\n]")

Logits = npt.NDArray[np.floating]
Offsets = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Entity:
    """Characters `start` to `end` of a note that name a disease, symptom, medication or treatment.

    Attributes:
        negated: the note denies it.
        other: it is about someone else, or about an illness that is over.
    """

    kind: Kind
    start: int
    end: int
    negated: bool
    other: bool


def begin_tag(kind: Kind) -> int:
    """Return the column of the first piece of an entity; that of the pieces inside it is the next one."""
    return 1 + 2 * KINDS.index(kind)


@dataclass(frozen=True, slots=True)
class _Word:
    """Pieces `pieces` that make up one word, what it names, and whether it begins an entity."""

    start: int
    end: int
    pieces: list[int]
    kind: Kind | None
    begins: bool


def read_entities(logits: Logits, offsets: Offsets, text: str) -> tuple[Entity, ...]:
    """Return the entities of a note in reading order; they never overlap and never cross the end of a sentence.

    The pieces of one word always share one kind, that of their mean probability. Tags need not be well-formed: a word
    inside an entity that has none before it begins one, and words side by side of one kind are one term. Negation and
    person are those of most pieces.

    Args:
        logits: (T, `TAGS`), one row a token.
        offsets: characters (start, end) of the note behind each token; (0, 0) for tokens that stand for no text.
        text: the note.

    Raises:
        ValueError: there are not as many rows as tokens, one is not finite, or an offset lies outside the text.
    """
    _check(logits, offsets, text)
    entities: list[list[_Word]] = []
    behind: _Word | None = None
    for word in _words(logits, offsets, text):
        if word.kind and behind and _goes_on(behind, word, text):
            entities[-1].append(word)
        elif word.kind:
            entities.append([word])
        behind = word
    found = (_entity(logits, words, text) for words in entities)
    return tuple(entity for entity in found if entity is not None)


def _check(logits: Logits, offsets: Offsets, text: str) -> None:
    if logits.shape != (len(offsets), TAGS) or not np.isfinite(logits).all():
        raise ValueError(
            f"entity logits must be {len(offsets)} finite rows of {TAGS}, one a token; check the exported graph"
        )
    if any(not 0 <= start <= end <= len(text) for start, end in offsets):
        raise ValueError("token offsets must lie inside the note; tokens and note do not belong together")


def _words(logits: Logits, offsets: Offsets, text: str) -> Iterator[_Word]:
    """Join pieces to words: letters and digits that touch."""
    spread = np.exp(logits[:, :BIO_TAGS] - logits[:, :BIO_TAGS].max(1, keepdims=True))
    shares = spread / spread.sum(1, keepdims=True)
    pieces: list[int] = []
    for place, (start, end) in enumerate(offsets):
        if end <= start:
            continue
        if pieces and not (start == offsets[pieces[-1]][1] and text[start - 1].isalnum() and text[start].isalnum()):
            yield _word(shares, pieces, offsets)
            pieces = []
        pieces.append(place)
    if pieces:
        yield _word(shares, pieces, offsets)


def _word(shares: npt.NDArray[np.floating], pieces: list[int], offsets: Offsets) -> _Word:
    mean = shares[pieces].mean(0)
    of_kind = mean[1:].reshape(len(KINDS), 2).sum(1)
    best = int(of_kind.argmax())
    kind = KINDS[best] if of_kind[best] > mean[OUTSIDE] else None
    begin, inside = shares[pieces[0], 1 + 2 * best : 3 + 2 * best]
    return _Word(offsets[pieces[0]][0], offsets[pieces[-1]][1], pieces, kind, bool(begin > inside))


def _goes_on(before: _Word, word: _Word, text: str) -> bool:
    """Return whether a word goes on the entity of the word before it.

    With nothing but a space between them, words of one kind are one term: terms are listed with commas or `and`.
    """
    side_by_side = text[before.end - 1].isalnum() and text[before.end : word.start].isspace()
    goes_on = side_by_side or not word.begins
    return before.kind == word.kind and goes_on and not _SENTENCE_END.search(text, before.start, word.end)


def _entity(logits: Logits, words: Sequence[_Word], text: str) -> Entity | None:
    """Join words to an entity without the punctuation at its ends; None where there is nothing else."""
    start, end = words[0].start, words[-1].end
    while start < end and not text[start].isalnum():
        start += 1
    while start < end and not text[end - 1].isalnum():
        end -= 1
    kind = words[0].kind
    if start == end or kind is None:
        return None
    pieces = [place for word in words for place in word.pieces]
    negated, other = (_most(logits[pieces, column]) for column in (NEGATED, OTHER))
    return Entity(kind, start, end, negated, other)


def _most(logits: Logits) -> bool:
    """Return whether most pieces say yes; where as many say no, the surer half decides."""
    balance = int(np.sign(logits).sum())
    return balance > 0 or (balance == 0 and float(logits.sum()) > 0)
