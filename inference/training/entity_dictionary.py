"""Terms met in training and cue words -> entities: what the entity head has to beat.

It knows no model. A term is looked up as it was written in training, so that a typing error or a new name is missed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from inference.entities import Entity, Kind
from inference.training.cohort.marks import AnnotatedNote

DENIES: Final = re.compile(
    r"\b(?:no|not|without|denies|never|nil|neither|nor|none|negative for|free of|absent|ruled out|excluded|declined|"
    r"refused)\b"
)
ELSEWHERE: Final = re.compile(
    r"\b(?:mother|mum|dad|father|brother|sister|twin|grandmother|grandfather|aunt|uncle|cousin|sibling|family|nursery|"
    r"last year|last winter|as a baby|previous|earlier|past|history of|years ago|months ago|at \d+ months)\b"
)
_PART: Final = re.compile(r"[^.;!?\n]+")


class EntityDictionary:
    """Terms with their most frequent kind; cue words in the same sentence decide on negation and person."""

    def __init__(self, documents: Iterable[AnnotatedNote]) -> None:
        seen: Counter[tuple[str, Kind]] = Counter()
        for document in documents:
            seen.update((document.text[span.start : span.end].lower(), span.kind) for span in document.spans)
        self.kinds: dict[str, Kind] = {}
        for (term, kind), _ in seen.most_common():
            self.kinds.setdefault(term, kind)
        terms = sorted(self.kinds, key=len, reverse=True)
        self.pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, terms))})(?!\w)", re.IGNORECASE)

    def read(self, text: str) -> tuple[Entity, ...]:
        """Return the terms of a text in reading order."""
        return tuple(entity for part in _PART.finditer(text) for entity in self._read_part(text, part.span()))

    def _read_part(self, text: str, place: tuple[int, int]) -> Iterable[Entity]:
        sentence = text[slice(*place)].lower()
        other = ELSEWHERE.search(sentence) is not None
        for term in self.pattern.finditer(text, *place):
            # A comma does not end a denied list, so the whole sentence before the term counts.
            before, behind = sentence[: term.start() - place[0]], sentence[term.end() - place[0] :]
            negated = DENIES.search(before) or re.match(r"\W*(?:\w+ ){0,2}(?:not|none|absent|excluded)\b", behind)
            yield Entity(self.kinds[term.group().lower()], term.start(), term.end(), negated is not None, other)
