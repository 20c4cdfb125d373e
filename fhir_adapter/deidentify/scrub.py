"""Text -> the same text with a placeholder for each identifier.

`dates`, `names`, `numbers` and `known` say what is found; docs/notes.md says what cannot be.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from fhir_adapter.deidentify.dates import DATE_RULES
from fhir_adapter.deidentify.known import known_rules
from fhir_adapter.deidentify.names import NAME_RULES
from fhir_adapter.deidentify.numbers import NUMBER_RULES
from fhir_adapter.deidentify.rule import PLACEHOLDERS, Rule
from fhir_adapter.shape import Resource

RULES: Final = (*NUMBER_RULES, *DATE_RULES, *NAME_RULES)
"""For everybody; where two find the same characters, the longest find says what they are, or the first."""
_REPEATED: Final = re.compile(rf"({'|'.join(map(re.escape, PLACEHOLDERS))})(?:[ ,\n]{{1,3}}\1)+")


@dataclass(frozen=True, slots=True)
class Scrubber:
    """The rules for the notes of one patient, his own identifiers first."""

    rules: tuple[Rule, ...]

    @classmethod
    def of(cls, patient: Resource) -> Scrubber:
        """Make the rules for a Patient resource; an empty one leaves those that hold for everybody."""
        return cls((*known_rules(patient), *RULES))

    def scrub(self, text: str) -> str:
        """Return the text with placeholders; what no rule finds stays to the letter."""
        pieces, behind = [], 0
        for start, end, placeholder in _merged(self._found(text)):
            pieces += [text[behind:start], placeholder]
            behind = end
        pieces.append(text[behind:])
        whole = "".join(pieces)
        return _REPEATED.sub(r"\1", whole) if len(pieces) > 1 else whole

    def _found(self, text: str) -> Iterator[_Find]:
        for place, rule in enumerate(self.rules):
            group = "x" if "x" in rule.pattern.groupindex else 0
            for match in rule.pattern.finditer(text):
                yield _Find(*match.span(group), place, rule.placeholder)


class _Find(NamedTuple):
    """Characters `start` to `end` that the rule at `place` found."""

    start: int
    end: int
    place: int
    placeholder: str

    @property
    def sureness(self) -> tuple[int, int]:
        """How well it says what it found: the longest find, and of equals the first rule's."""
        return self.end - self.start, -self.place


def _merged(found: Iterable[_Find]) -> list[tuple[int, int, str]]:
    """Join what overlaps; the placeholder is that of the surest among them."""
    merged: list[tuple[int, int, _Find]] = []
    for find in sorted(found):
        if merged and find.start < merged[-1][1]:
            start, end, best = merged[-1]
            merged[-1] = (start, max(end, find.end), max(best, find, key=lambda one: one.sureness))
        else:
            merged.append((find.start, find.end, find))
    return [(start, end, best.placeholder) for start, end, best in merged]
