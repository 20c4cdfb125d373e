"""A note that is longer than the model reads -> which of its sentences are read, section by section.

Pieces are spent by what the model was trained on: how the child presents, what happened before, what was found. Whole
sentences, each section from its beginning; what is left of one section's share goes to the others. Knows no tokenizer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from fhir_adapter.record import Section, SectionKind

_TIERS: Final[tuple[tuple[SectionKind, ...], ...]] = (
    ("opening", "complaint", "illness", "examination"),
    ("assessment", "results"),
    ("past", "medication", "plan"),
    ("social", "other"),
)
"""Which sections are served first. A tier gets what the tiers before it leave."""
_SENTENCE: Final = re.compile(r"[^\n.!?]*(?:[.!?](?![ \n]|$)[^\n.!?]*)*(?:[.!?]+|\n|$)\s*")

_LONG: Final = 40
"""Pieces of a sentence that is one only by its full stop; some hurried notes have no other."""

Span = tuple[int, int]


@dataclass(slots=True)
class _Served:
    """A section on its way: its sentences as (first piece, piece behind), and how many of them are read."""

    sentences: list[Span]
    taken: int = 0

    @property
    def wanted(self) -> int:
        """Pieces of all that is not read yet."""
        return sum(behind - first for first, behind in self.sentences[self.taken :])

    def take(self, share: int) -> int:
        """Read on within a share of pieces, and return how many were used."""
        used = 0
        for first, behind in self.sentences[self.taken :]:
            if used + behind - first > share:
                break
            used += behind - first
            self.taken += 1
        return used


def choose_pieces(text: str, offsets: Sequence[Span], sections: Sequence[Section], budget: int) -> list[int]:
    """Return the numbers of the pieces that are read, in the order of the text; at most `budget`.

    Args:
        text: the note.
        offsets: characters (start, end) of each of its pieces, in order.
        sections: see `Note.sections`; they cover the note.
        budget: number of pieces.
    """
    served = [(section.kind, _Served(list(_sentences(text, offsets, section)))) for section in sections]
    left = budget
    for tier in _TIERS:
        left -= _share_out([one for kind, one in served if kind in tier], left)
    runs = sorted(run for _, one in served for run in one.sentences[: one.taken])
    # Where no sentence fits at all, the beginning is better than nothing.
    return [piece for first, behind in runs for piece in range(first, behind)] or list(range(min(budget, len(offsets))))


def _share_out(sections: list[_Served], budget: int) -> int:
    """Give each section of a tier its share, those that want least first, and return how many pieces were used.

    What whole sentences leave of the shares is spent on the sentences that still fit, in the order of the note.
    """
    left = budget
    for number, one in enumerate(sorted(sections, key=lambda one: one.wanted)):
        left -= one.take(left // (len(sections) - number))
    for one in sections:
        left -= one.take(left)
    return budget - left


def _sentences(text: str, offsets: Sequence[Span], section: Section) -> Iterator[Span]:
    """Yield the pieces (first, behind) of each sentence of a section; a line ends a sentence."""
    place = next((n for n, (_, end) in enumerate(offsets) if end > section.start), len(offsets))
    for sentence in _SENTENCE.finditer(text, section.start, section.end):
        first = place
        while place < len(offsets) and offsets[place][0] < sentence.end():
            place += 1
        yield from _clauses(text, offsets, (first, place))


def _clauses(text: str, offsets: Sequence[Span], sentence: Span) -> Iterator[Span]:
    """Yield a sentence whole, or a very long one in the parts between its commas: never an odd half of one."""
    first, behind = sentence
    for place in range(first, behind):
        if behind - first > _LONG and text[offsets[place][1] - 1] in ",;":
            yield first, place + 1
            first = place + 1
    if behind > first:
        yield first, behind


def unread_spans(text: str, read: Sequence[Span]) -> tuple[Span, ...]:
    """Return the stretches of a text with words that lie between, before or behind the characters that are read.

    Args:
        text: the note.
        read: characters (start, end) of the pieces that are read, in order.
    """
    spans, behind = [], 0
    for start, end in (*read, (len(text), len(text))):
        if any(sign.isalnum() for sign in text[behind:start]):
            spans.append((behind, start))
        behind = max(behind, end)
    return tuple(spans)


def as_read(text: str, unread: Sequence[Span]) -> str:
    """Return a text of the same length in which what was not read is a full stop and blanks.

    So no word of it is marked or quoted, and no sentence reaches across it.
    """
    for start, end in unread:
        text = f"{text[:start]}.{' ' * (end - start - 1)}{text[end:]}"
    return text
