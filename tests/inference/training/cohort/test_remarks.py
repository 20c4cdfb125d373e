from __future__ import annotations

import re

import numpy as np
import pytest

from inference.entities import KINDS
from inference.training.cohort.grammar import GrammarName
from inference.training.cohort.marks import MARK, read_marks
from inference.training.cohort.remarks import SLOT, draw_document, load_remarks, write_remarks
from inference.training.cohort.stream import Stream

PARTS: tuple[GrammarName, ...] = ("train", "test")


def bare(sentence: str) -> str:
    """Return a sentence with its slots alike and without marks, for comparison."""
    return re.sub(r"\W+", " ", SLOT.sub("x", MARK.sub("", sentence.lower()))).strip()


def test_parts_share_no_sentence() -> None:
    """No sentence that the head is judged on was learned from, whatever stands in its slots."""
    train, test = ({bare(line) for line in load_remarks(name).sentences} for name in PARTS)

    assert min(len(train), len(test)) > 60
    assert train & test == set()


@pytest.mark.parametrize("part", PARTS)
def test_every_slot_can_be_filled(part: GrammarName) -> None:
    """Every slot names a kind, or words that there are; only kinds have flags."""
    grammar = load_remarks(part)
    slots = {slot.group("name", "flags") for line in grammar.sentences for slot in SLOT.finditer(line)}

    assert {name for name, _ in slots} <= {*KINDS, *grammar.words}
    assert {name for name, flags in slots if flags} <= set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_judged_remarks_hold_terms_that_no_training_saw(kind: str) -> None:
    """A share of the judged terms is new, as in any real note."""
    train, test = (set(load_remarks(name).terms[kind]) for name in PARTS)  # type: ignore[index]

    assert train < test
    assert len(test - train) == 8


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_comes_denied_and_of_others(part: GrammarName, kind: str) -> None:
    """Each kind is there as itself, denied, and about someone else or the past."""
    flags = {
        slot["flags"] for line in load_remarks(part).sentences for slot in SLOT.finditer(line) if slot["name"] == kind
    }

    assert {"", "-", "~"} <= flags


@pytest.mark.parametrize("part", PARTS)
def test_no_slot_stays_open(part: GrammarName) -> None:
    """Every slot and mark is gone from the text."""
    text = write_remarks(200, part, Stream(np.random.default_rng(1))).text

    assert not re.search(r"[{}\[\]|]", text)
    assert not MARK.search(text)


def test_typing_errors_reach_remarks() -> None:
    """A few terms are misspelt, and their spans still are whole words."""
    note = write_remarks(400, "train", Stream(np.random.default_rng(1)))
    terms = {term.lower() for words in load_remarks("train").terms.values() for term in words}
    written = [note.text[span.start : span.end].lower() for span in note.spans]

    assert 0.002 < np.mean([term not in terms for term in written]) < 0.1
    assert all(re.fullmatch(r"\w(.*\w)?", term) for term in written)


def test_documents_are_notes_remarks_or_both() -> None:
    """Every kind of document occurs, and the same seed gives the same one."""
    drawn = [draw_document(np.random.default_rng(number), "test") for number in range(60)]
    words = [len(note.text.split()) for note in drawn]

    assert drawn[7] == draw_document(np.random.default_rng(7), "test")
    assert min(words) < 30
    assert max(words) > 70


def test_one_sentence_marks_what_it_says() -> None:
    """The flags of a slot are those of the entity in it."""
    drawn = [read_marks(load_remarks("train").draw(Stream(np.random.default_rng(number)))) for number in range(300)]
    family = [note for note in drawn if note.text.startswith("family history of")]

    assert family
    assert all(span.other for note in family for span in note.spans)
