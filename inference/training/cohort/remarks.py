"""`entities.toml` -> remarks that know their entities, alone or beside a simulated note.

Only the entity head learns from them: in the notes that a diagnosis is learned from, medications and treatments are too
rare to be learned.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from inference.entities import KINDS, Kind
from inference.training.cohort.annotation import annotated_note, read_brackets
from inference.training.cohort.case import LABELS
from inference.training.cohort.grammar import GrammarName
from inference.training.cohort.layout import recase
from inference.training.cohort.marks import AnnotatedNote, capitalise, joined, mark, read_marks, retyped
from inference.training.cohort.parameters import number, read_toml
from inference.training.cohort.stream import Stream
from inference.training.cohort.typing_errors import mistype

SLOT: Final = re.compile(r"\{(?P<name>\w+)(?P<flags>[-~]*)\}")
MOST_BESIDE: Final = 4
"""Remarks beside a note: more would push the note's own end out of what the model reads."""
MOST_ALONE: Final = 9
ALONE: Final = 0.3
"""Share of documents that hold remarks and no note."""


@dataclass(frozen=True, slots=True)
class RemarkGrammar:
    """Sentences with slots, and what goes into the slots: entities by kind, and other words by name."""

    sentences: list[str]
    terms: Mapping[Kind, list[str]]
    words: Mapping[str, list[str]]

    def draw(self, stream: Stream) -> str:
        """Return one marked sentence without capital and stop."""

        def filled(slot: re.Match[str]) -> str:
            kind = next((kind for kind in KINDS if kind == slot["name"]), None)
            if kind is None:
                return stream.pick(self.words[slot["name"]])
            return mark(kind, stream.pick(self.terms[kind]), slot["flags"])

        return SLOT.sub(filled, stream.pick(self.sentences))


@cache
def load_remarks(name: GrammarName) -> RemarkGrammar:
    """Read the sentences of one part; the judged part has terms of its own beside the common ones."""
    content = read_toml("entities.toml")
    own = content["terms"].get(name, {})
    terms = {kind: content["terms"]["both"][kind] + own.get(kind, []) for kind in KINDS}
    return RemarkGrammar([read_brackets(line) for line in content[name]["sentences"]], terms, content["words"])


def write_remarks(count: int, grammar: GrammarName, stream: Stream) -> AnnotatedNote:
    """Write a number of remarks, with capitals and typing errors as in a note."""
    sentences = [load_remarks(grammar).draw(stream) for _ in range(count)]
    between = stream.pick((". ", ". ", "; ", "\n"))
    text = between.join(line if between == "; " else capitalise(line) for line in sentences)
    plain = read_marks(recase(f"{text}.", stream))
    return retyped(plain, mistype(plain.text, stream, number("note.typing_error")))


def draw_document(rng: np.random.Generator, grammar: GrammarName) -> AnnotatedNote:
    """Draw what the entity head learns from or is judged on: a simulated note, remarks, or both."""
    stream = Stream(rng)
    if stream.chance(ALONE):
        return write_remarks(stream.between(2, MOST_ALONE), grammar, stream)
    note = annotated_note(stream.pick(LABELS), rng, grammar)
    count = stream.between(0, MOST_BESIDE)
    if not count:
        return note
    remarks = write_remarks(count, grammar, stream)
    return joined(remarks, note) if stream.chance(0.5) else joined(note, remarks)
