"""Marks round the named entities of a text, in private-use characters <-> the text and its spans.

Marks go through the writing of a note like letters that nobody sees: they take part in no draw and are taken out before
the typing errors. What stands between two marks is the term itself, or a scope whose terms are all denied, or all about
someone else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final

from inference.entities import KINDS, Entity, Kind

FIRST: Final = 0xE000
CLOSE: Final = chr(FIRST + 63)
MARK: Final = re.compile(f"[{chr(FIRST)}-{CLOSE}]")
_NEGATED, _OTHER, _SCOPE = 1, 2, len(KINDS)


@dataclass(frozen=True, slots=True)
class AnnotatedNote:
    """A note and the entities in it, in reading order."""

    text: str
    spans: tuple[Entity, ...]


def mark(kind: Kind, words: str, flags: str = "") -> str:
    """Return words marked as an entity; `flags` holds - for a negated one, ~ for one about another person or time."""
    return _wrap(KINDS.index(kind), words, flags)


def mark_scope(words: str, flags: str) -> str:
    """Return words in a scope: the flags hold for every entity inside, also for those put in later."""
    return _wrap(_SCOPE, words, flags) if flags else words


def capitalise(clause: str) -> str:
    """Return a clause with its first character, marks aside, in upper case."""
    for place, letter in enumerate(clause):
        if not MARK.match(letter):
            return clause[:place] + letter.upper() + clause[place + 1 :]
    return clause


def read_marks(marked: str) -> AnnotatedNote:
    """Take the marks out.

    Raises:
        ValueError: a mark is opened and not closed, or closed and not opened.
    """
    letters: list[str] = []
    opened: list[tuple[int, int]] = []
    spans: list[Entity] = []
    for letter in marked:
        if not MARK.match(letter):
            letters.append(letter)
        elif letter != CLOSE:
            opened.append((ord(letter) - FIRST, len(letters)))
        elif not opened:
            raise ValueError("a mark is closed that was not opened: see the wordings' brackets")
        else:
            code, start = opened.pop()
            if code >> 2 < _SCOPE:
                spans.append(_entity(code >> 2, (start, len(letters)), opened, code))
    if opened:
        raise ValueError("a mark is opened that is not closed: see the wordings' brackets")
    return AnnotatedNote("".join(letters), tuple(sorted(spans, key=lambda span: span.start)))


def retyped(note: AnnotatedNote, text: str) -> AnnotatedNote:
    """Move the spans of a note to the same note with typing errors: the same words, some of another length."""
    before, after = note.text.split(" "), text.split(" ")
    starts = list(accumulate((len(word) + 1 for word in before), initial=0))
    grown = [len(new) - len(old) for old, new in zip(before, after, strict=True)]

    def moved(place: int) -> int:
        return place + sum(more for start, more in zip(starts, grown, strict=False) if start < place)

    return AnnotatedNote(
        text, tuple(replace(span, start=moved(span.start), end=moved(span.end)) for span in note.spans)
    )


def joined(first: AnnotatedNote, second: AnnotatedNote, between: str = " ") -> AnnotatedNote:
    """Put one text behind another."""
    text = first.text + between
    return AnnotatedNote(text + second.text, (*first.spans, *(_shifted(span, len(text)) for span in second.spans)))


def _shifted(span: Entity, by: int) -> Entity:
    return replace(span, start=span.start + by, end=span.end + by)


def _wrap(what: int, words: str, flags: str) -> str:
    code = what << 2 | _NEGATED * ("-" in flags) | _OTHER * ("~" in flags)
    return f"{chr(FIRST + code)}{words}{CLOSE}"


def _entity(kind: int, place: tuple[int, int], scopes: Sequence[tuple[int, int]], code: int) -> Entity:
    flags = code
    for scope, _ in scopes:
        flags |= scope & (_NEGATED | _OTHER)
    return Entity(KINDS[kind], *place, bool(flags & _NEGATED), bool(flags & _OTHER))
