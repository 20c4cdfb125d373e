"""`entity_terms.toml` and a grammar -> the same grammar with its entities marked, and notes that know their entities.

A marked grammar has as many wordings in each table as the plain one, so that both write the same note from the same
stream: annotation costs no draw.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Final

import numpy as np

from inference.entities import KINDS, Kind
from inference.training.cohort.case import draw_group
from inference.training.cohort.chart import Chart
from inference.training.cohort.grammar import Grammar, GrammarName, load_grammar
from inference.training.cohort.marks import AnnotatedNote, mark, mark_scope, read_marks, retyped
from inference.training.cohort.notes import draft_note
from inference.training.cohort.parameters import Label, number, read_toml
from inference.training.cohort.physiology import draw_child
from inference.training.cohort.stream import Stream
from inference.training.cohort.symptoms import chart_findings, draw_findings
from inference.training.cohort.typing_errors import mistype

BRACKETS: Final = re.compile(r"\[(?P<kind>\w+)(?P<flags>[-~]*)\|(?P<term>[^\]]+)\]")
UNMARKED: Final = ("forms", "headings")


class TermError(ValueError):
    """An entry of the entity tables that cannot be used; the message names it."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What names an entity.

    Attributes:
        kinds: by term, small letters.
        pattern: finds the longest term.
        scopes: by flag, the tables all of whose terms have it, as `fnmatch` patterns.
        exceptions: marked wordings by wording.
    """

    kinds: Mapping[str, Kind]
    pattern: re.Pattern[str]
    scopes: Mapping[str, tuple[str, ...]]
    exceptions: Mapping[str, str]

    def mark(self, wording: str, table: str) -> str:
        """Return a wording with its terms marked."""
        if wording in self.exceptions:
            return self.exceptions[wording]
        flags = "".join(flag for flag, names in self.scopes.items() if any(fnmatchcase(table, name) for name in names))
        marked = self.pattern.sub(lambda term: mark(self.kinds[term.group().lower()], term.group()), wording)
        return mark_scope(marked, flags)


def read_brackets(wording: str) -> str:
    """Replace brackets, `[symptom-|cough]`, by marks.

    Raises:
        TermError: there is no kind of that name.
    """

    def marked(found: re.Match[str]) -> str:
        return mark(kind_of(found["kind"]), found["term"], found["flags"])

    return BRACKETS.sub(marked, wording)


def kind_of(name: str) -> Kind:
    """Return a kind by its name.

    Raises:
        TermError: there is none.
    """
    for kind in KINDS:
        if kind == name:
            return kind
    raise TermError(f"entity tables name the kind {name}: use one of {', '.join(KINDS)}")


@cache
def load_terms() -> Terms:
    """Read the terms that lie beside this module."""
    content = read_toml("entity_terms.toml")
    kinds = {term.lower(): kind_of(name) for name, terms in content["terms"].items() for term in terms}
    longest_first = "|".join(re.escape(term) for term in sorted(kinds, key=len, reverse=True))
    scopes = content["scopes"]
    return Terms(
        kinds,
        re.compile(rf"(?<![\w{{])(?:{longest_first})(?![\w}}])", re.IGNORECASE),
        {"-": tuple(scopes["negated"]), "~": tuple(scopes["other"])},
        {BRACKETS.sub(r"\g<term>", line): read_brackets(line) for line in content["exceptions"]["wordings"]},
    )


@cache
def marked_grammar(name: GrammarName) -> Grammar:
    """Return a grammar with the entities of its wordings marked."""
    grammar, terms = load_grammar(name), load_terms()
    tables = {
        table: {
            key: lines if table in UNMARKED else [terms.mark(line, f"{table}.{key}") for line in lines]
            for key, lines in wordings.items()
        }
        for table, wordings in grammar.tables.items()
    }
    findings = {
        finding: {
            state: [terms.mark(line, f"finding.{finding}.{state}") for line in lines] for state, lines in states.items()
        }
        for finding, states in grammar.findings.items()
    }
    return Grammar(tables, findings)


def annotate(chart: Chart, grammar: GrammarName, stream: Stream) -> AnnotatedNote:
    """Write the note that `write_note` would write on this chart from this stream, and know its entities."""
    draft = read_marks(draft_note(chart, marked_grammar(grammar), stream))
    return retyped(draft, mistype(draft.text, stream, number("note.typing_error")))


def annotated_note(label: Label, rng: np.random.Generator, grammar: GrammarName) -> AnnotatedNote:
    """Draw a child of a class and the simulated note on it, with its entities."""
    stream = Stream(rng)
    child = draw_child(draw_group(label, stream), rng)
    return annotate(Chart(child, chart_findings(child, draw_findings(child, rng), stream)), grammar, stream)
