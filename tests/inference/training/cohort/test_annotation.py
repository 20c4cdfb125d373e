from __future__ import annotations

import hashlib
import re
from itertools import pairwise

import numpy as np
import pytest

from inference.training.cohort import LABELS, draw_case
from inference.training.cohort.annotation import (
    TermError,
    annotate,
    annotated_note,
    load_terms,
    marked_grammar,
    read_brackets,
)
from inference.training.cohort.chart import Chart
from inference.training.cohort.grammar import GrammarName, load_grammar
from inference.training.cohort.marks import MARK, read_marks
from inference.training.cohort.notes import write_note
from inference.training.cohort.stream import Stream
from tests.inference.training.cohort.draws import charts, children

GRAMMARS: tuple[GrammarName, ...] = ("train", "test")
NOTES_BEFORE_ENTITIES = """
9633197d c5e3ce3d 2ec168e0 9d9da8e5 342194c0 1d225666 e29f15b9 b17c6f2e 9698e183 ecd8e772
cae958f1 a5e41ae7 82e8a006 f0a51427 00d89efb 072be1c7 6be3257d 138e1cff a111dc5c 4dee7162
3139cf3c 232ea728 cc319cf3 c5efdae8 394b3843 41a5a2c2 f05f1f1c 3b3f699c 0b0e888f e6c0329f
70d17baa de7cdb93 eb11b9f2 97d06dfa 8499be96 6cf1501c 9cbc4c12 acde7963 0638de50 7adac1f8
f837c3ee a644e5b3 754509c7 5c5ebd0c 2d7c40e9 1c289102 bf1d7bce 9b61e58e 161323b7 e0548b45
"""
"""First eight digits of the SHA-256 of 50 notes, made before entities were marked."""


def found(clause: str, table: str) -> list[tuple[str, str, str]]:
    """Return kind, term and flags of each entity of a clause."""
    note = read_marks(load_terms().mark(clause, table))
    return [(span.kind, note.text[span.start : span.end], "-" * span.negated + "~" * span.other) for span in note.spans]


def test_notes_are_those_the_checkpoint_learned_from() -> None:
    """A note of a seed is to the byte what it was before entities: the shipped weights depend on it.

    Who changes the notes on purpose trains the checkpoint again and writes the digests of this test anew.
    """
    notes = [
        draw_case(LABELS[number % 3], np.random.default_rng([77, number]), grammar=grammar, complete=True).note or ""
        for grammar in GRAMMARS
        for number in range(25)
    ]

    assert [hashlib.sha256(note.encode()).hexdigest()[:8] for note in notes] == NOTES_BEFORE_ENTITIES.split()


@pytest.mark.parametrize("grammar", GRAMMARS)
@pytest.mark.parametrize("group", ["bacterial", "check"])
def test_annotation_changes_no_note(grammar: GrammarName, group: str) -> None:
    """From the same chart and stream, the note with entities is the note without."""
    pairs = list(zip(children(group)[:60], charts(group)[:60], strict=True))
    streams = [[Stream(np.random.default_rng([4, number])) for number in range(60)] for _ in range(2)]
    plain = [
        write_note(Chart(child, chart), load_grammar(grammar), stream)
        for (child, (_, chart)), stream in zip(pairs, streams[0], strict=True)
    ]
    annotated = [
        annotate(Chart(child, chart), grammar, stream)
        for (child, (_, chart)), stream in zip(pairs, streams[1], strict=True)
    ]

    assert [note.text for note in annotated] == plain
    assert sum(len(note.spans) for note in annotated) > 100


@pytest.mark.parametrize("grammar", GRAMMARS)
def test_spans_are_whole_words_in_order(grammar: GrammarName) -> None:
    """No span begins or ends inside a word, and no two overlap, typing errors included."""
    for number in range(100):
        note = annotated_note("viral", np.random.default_rng(number), grammar)
        assert all(before.end <= after.start for before, after in pairwise(note.spans))
        assert all(re.fullmatch(r"\w(.*\w)?", note.text[span.start : span.end], re.DOTALL) for span in note.spans)
        assert not re.search(r"\w\ue000\w", "\ue000".join([note.text[: span.start] for span in note.spans]))
        assert not MARK.search(note.text)


@pytest.mark.parametrize(
    ("clause", "table", "expected"),
    [
        ("no rhonchi or wheeze", "finding.wheeze.absent", [("symptom", "rhonchi", "-"), ("symptom", "wheeze", "-")]),
        ("audible wheeze", "finding.wheeze.present", [("symptom", "wheeze", "")]),
        ("RR {rr} but upset", "finding.fast_breathing.unsure", []),
        ("no earlier wheeze", "finding.earlier_wheeze.absent", [("symptom", "wheeze", "-~")]),
        ("mum has asthma", "other.person", [("disease", "asthma", "~")]),
        ("took azithromycin earlier this month", "fill.history", [("medication", "azithromycin", "~")]),
        ("on day {n} of amoxicillin from GP", "fill.history", [("medication", "amoxicillin", "")]),
        ("influenza vaccine not given", "finding.influenza_vaccine.absent", [("treatment", "influenza vaccine", "-")]),
        ("influenza outbreak", "fill.history", [("disease", "influenza", "")]),
        ("vaccine card not available", "finding.vaccinated.unsure", []),
        ("umbilical hernia repair", "check.reason", [("treatment", "umbilical hernia repair", "")]),
        ("abdo pain, no guarding", "fill.history", [("symptom", "abdo pain", ""), ("symptom", "guarding", "-")]),
    ],
)  # fmt: skip
def test_terms_of_a_wording(clause: str, table: str, expected: list[tuple[str, str, str]]) -> None:
    """The longest term counts; its table, or an exception, says whether it is denied or about someone else."""
    assert found(clause, table) == expected


def test_every_exception_is_a_wording_of_a_grammar() -> None:
    """An exception for a wording that has been changed would silently hold no more."""
    wordings = {clause for name in GRAMMARS for _, clause in load_grammar(name).clauses()}

    assert [clause for clause in load_terms().exceptions if clause not in wordings] == []


@pytest.mark.parametrize("flag", ["-", "~"])
def test_every_scope_is_a_table_of_both_grammars(flag: str) -> None:
    """A scope that names no table would make its terms affirmed."""
    tables = {f"{table}.{key}" for table, keys in load_grammar("train").tables.items() for key in keys}
    tables |= {
        f"finding.{finding}.{state}" for finding, states in load_grammar("train").findings.items() for state in states
    }
    patterns = [re.compile(name.replace(".", r"\.").replace("*", r"\w+")) for name in load_terms().scopes[flag]]

    assert all(any(pattern.fullmatch(table) for table in tables) for pattern in patterns)


def test_every_term_stands_in_a_grammar() -> None:
    """The table holds no term that no note has."""
    written = " ".join(read_marks(clause).text.lower() for name in GRAMMARS for clause in lines(name))

    assert [term for term in load_terms().kinds if not re.search(rf"(?<!\w){re.escape(term)}(?!\w)", written)] == []


def lines(name: GrammarName) -> list[str]:
    """Return every wording and noun of a marked grammar."""
    grammar = marked_grammar(name)
    nouns = [noun for table in ("terms", "check") for words in grammar.tables[table].values() for noun in words]
    return nouns + [clause for _, clause in grammar.clauses()]


@pytest.mark.parametrize("grammar", GRAMMARS)
def test_denied_findings_are_never_annotated_as_there(grammar: GrammarName) -> None:
    """Every entity in a wording for an absent finding is negated, but for the exceptions made by hand."""
    absent = [clause for states in marked_grammar(grammar).findings.values() for clause in states.get("absent", [])]
    spans = [span for clause in absent for span in read_marks(clause).spans]

    assert len(spans) > 25
    assert all(span.negated for span in spans)


def test_an_unknown_kind_is_refused() -> None:
    """A slip in the table is named rather than learned."""
    with pytest.raises(TermError, match="sympton"):
        read_brackets("no [sympton-|rash]")
