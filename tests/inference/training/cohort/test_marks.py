from __future__ import annotations

import pytest

from inference.entities import Entity
from inference.training.cohort.marks import (
    MARK,
    AnnotatedNote,
    capitalise,
    joined,
    mark,
    mark_scope,
    read_marks,
    retyped,
)


def test_marks_become_spans() -> None:
    """The text comes out without marks, and each span is the words that were marked."""
    note = read_marks(f"on {mark('medication', 'amoxicillin')}, no {mark('symptom', 'rash', '-')}")

    assert note.text == "on amoxicillin, no rash"
    assert note.spans == (
        Entity("medication", 3, 14, negated=False, other=False),
        Entity("symptom", 19, 23, negated=True, other=False),
    )


@pytest.mark.parametrize("flags", ["", "-", "~", "-~"])
def test_a_scope_reaches_every_entity_inside(flags: str) -> None:
    """A frame that denies, or is about someone else, gives that to what is put into it."""
    (span,) = read_marks(mark_scope(f"no {mark('symptom', 'cough')}", flags)).spans

    assert (span.negated, span.other) == ("-" in flags, "~" in flags)


def test_scopes_add_up() -> None:
    """What is denied of the past is both denied and past."""
    (span,) = read_marks(mark_scope(f"no {mark_scope(mark('symptom', 'wheeze'), '~')}", "-")).spans

    assert span.negated
    assert span.other


@pytest.mark.parametrize("clause", ["", "cough", "5 days", "?few creps", "éa"])
def test_without_marks_a_clause_is_capitalised_as_ever(clause: str) -> None:
    """The notes that a diagnosis is learned from must not change."""
    assert capitalise(clause) == clause[:1].upper() + clause[1:]


def test_capitals_pass_over_marks() -> None:
    """The first letter of a clause is in upper case, be it inside a mark or not."""
    assert read_marks(capitalise(mark_scope(mark("symptom", "cough"), "-"))).text == "Cough"


@pytest.mark.parametrize("faulty", [mark("symptom", "a")[:-1], mark("symptom", "a")[1:]])
def test_a_mark_without_its_other_half_is_refused(faulty: str) -> None:
    """Marks that do not match would shift every span behind them."""
    with pytest.raises(ValueError, match="brackets"):
        read_marks(faulty)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("no feverr or dry cough.", ["feverr", "dry cough"]),
        ("no fver or dry couh.", ["fver", "dry couh"]),
        ("nno feevr or dryy cough.", ["feevr", "dryy cough"]),
        ("no fever or dry cough.", ["fever", "dry cough"]),
    ],
)
def test_spans_follow_typing_errors(typed: str, words: list[str]) -> None:
    """A word that grows or shrinks moves what stands behind it, and its own end."""
    note = read_marks(f"no {mark('symptom', 'fever')} or {mark('symptom', 'dry cough')}.")
    moved = retyped(note, typed)

    assert [moved.text[span.start : span.end] for span in moved.spans] == words


def test_joined_texts_keep_their_spans() -> None:
    """Spans of the second text move behind the first."""
    first, second = read_marks(mark("symptom", "cough")), read_marks(f"on {mark('treatment', 'oxygen')}")
    both = joined(first, second)

    assert [both.text[span.start : span.end] for span in both.spans] == ["cough", "oxygen"]
    assert not MARK.search(both.text)
    assert both == AnnotatedNote("cough on oxygen", both.spans)
