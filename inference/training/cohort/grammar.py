"""`grammar_train.toml` and `grammar_test.toml` -> wordings by what they state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from inference.training.cohort.parameters import read_toml

GrammarName = Literal["train", "test"]
Wordings = Mapping[str, list[str]]
State = Literal["present", "absent", "unsure"]
NOUNS = ("terms", "forms", "headings", "check")
"""Tables of single words and noun phrases; all others hold clauses and frames, which no two grammars share."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """Wordings of one set of notes.

    Attributes:
        tables: by table and key, all but the findings: `tables["opening"]["plain"]`.
        findings: by finding and state.
    """

    tables: Mapping[str, Wordings]
    findings: Mapping[str, Mapping[State, list[str]]]

    def clauses(self) -> Iterator[tuple[str, str]]:
        """Yield each clause and frame with the dotted name of its table."""
        for finding, states in self.findings.items():
            yield from ((f"finding.{finding}", clause) for clauses in states.values() for clause in clauses)
        for table, wordings in self.tables.items():
            if table not in NOUNS:
                yield from ((f"{table}.{key}", clause) for key, clauses in wordings.items() for clause in clauses)


@cache
def load_grammar(name: GrammarName) -> Grammar:
    """Read a grammar that lies beside this module."""
    content: dict[str, Any] = read_toml(f"grammar_{name}.toml")
    findings = content.pop("finding")
    return Grammar(content, findings)
