from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from inference.training.cohort import LABELS
from inference.training.cohort.chart import Chart
from inference.training.cohort.grammar import GrammarName, load_grammar
from inference.training.cohort.notes import write_note
from inference.training.cohort.stream import Stream
from inference.training.cohort.symptoms import FINDINGS
from inference.training.cohort.typing_errors import mistype
from tests.inference.training.cohort.draws import charts, children, notes

GRAMMARS: tuple[GrammarName, ...] = ("train", "test")
VERDICT = re.compile(
    r"(?i:pneumon|viral|virus|bacteri|consolidat|infiltrat|bronchiolitis|lower respiratory|chest infection|\brsv\b)"
    r"|LRTI|\bCAP\b"
)
ALLOWED = ("other.person", "other.past")


def bare(wording: str) -> str:
    """Return a wording without capitals, stops and fields' names, for comparison."""
    return re.sub(r"[^a-z ]", "", re.sub(r"\{\w+\}", "x", wording.lower())).strip()


def sample(chart: Chart, grammar: GrammarName, count: int = 300) -> list[str]:
    """Write many notes on one chart."""
    stream = Stream(np.random.default_rng(6))
    return [write_note(chart, load_grammar(grammar), stream).lower() for _ in range(count)]


def healthy_chart() -> Chart:
    """Return the chart of a child of the cough group in whom nothing was found."""
    return Chart(children("cough")[0], dict.fromkeys(FINDINGS, False))


@pytest.mark.parametrize("grammar", GRAMMARS)
def test_no_wording_names_the_illness_of_today(grammar: GrammarName) -> None:
    """Only relatives and the past may have pneumonia, viruses or bacteria."""
    named = [(table, clause) for table, clause in load_grammar(grammar).clauses() if VERDICT.search(clause)]

    assert named
    assert [table for table, _ in named if table not in ALLOWED] == []


@pytest.mark.parametrize("grammar", GRAMMARS)
def test_relatives_and_past_are_said_alike_in_every_class(grammar: GrammarName) -> None:
    """The words pneumonia, viral and bacterial come as often in notes of one class as of another."""
    shares = [float(np.mean([bool(VERDICT.search(note)) for note in notes(label, grammar)])) for label in LABELS]

    assert min(shares) > 0.05
    assert max(shares) - min(shares) < 0.035


def test_grammars_share_no_wording() -> None:
    """No clause or frame of the notes a model is judged on was in those it learned from."""
    train, test = ({bare(clause) for _, clause in load_grammar(name).clauses()} for name in GRAMMARS)

    assert min(len(train), len(test)) > 300
    assert train & test == set()


def test_written_sentences_are_not_shared_either() -> None:
    """No sentence of four or more words stands in notes of both grammars."""
    train, test = (
        {
            bare(sentence)
            for label in LABELS
            for note in notes(label, name)
            for sentence in re.split(r"[.;\n:]", note)
            if len(sentence.split()) >= 4
        }
        for name in GRAMMARS
    )

    assert train & test == set()


@pytest.mark.parametrize("grammar", GRAMMARS)
def test_grammars_have_words_for_the_same_things(grammar: GrammarName) -> None:
    """Every finding can be stated as present and as absent, every table of one grammar is in the other."""
    tables = {name: set(load_grammar(name).tables) for name in GRAMMARS}
    states = {name: set(load_grammar(grammar).findings[name]) for name in FINDINGS if name != "focal_crackles"}

    assert tables["train"] == tables["test"]
    assert all(found == {"present", "absent", "unsure"} for found in states.values())


@pytest.mark.parametrize("grammar", GRAMMARS)
def test_notes_are_as_long_as_real_ones(grammar: GrammarName) -> None:
    """Most notes have 40 to 110 words, the plain ones fewer, none has more."""
    words = [len(note.split()) for label in LABELS for note in notes(label, grammar)]

    assert np.mean([40 <= count <= 110 for count in words]) > 0.7
    assert max(words) <= 125


def test_no_field_is_left_open() -> None:
    """Every field of every wording is filled."""
    assert [
        note for label in LABELS for name in GRAMMARS for note in notes(label, name) if re.search(r"[{}]", note)
    ] == []


def test_absent_findings_stand_in_lists_after_one_negation() -> None:
    """A negation reaches over a list: `no wheeze, creps or recession`."""
    written = " ".join(sample(healthy_chart(), "train"))

    assert re.search(r"\b(no|denies|without|nil) [\w ]+, [\w ]+ or \w+", written)
    assert "neither" in written


def test_child_with_a_clear_chest_has_no_crackles_at_a_side() -> None:
    """What was not found is never stated as found, but for signs that an addendum takes back."""
    kept = [
        note for note in sample(healthy_chart(), "test") if "second examination" not in note and "note:" not in note
    ]
    kept = [note for note in kept if "amended after" not in note and "update" not in note]

    assert [note for note in kept if "crackles over the" in note] == []


def test_focal_crackles_have_a_side() -> None:
    """Crackles of one place are written with right or left, so that picture and words can be compared."""
    chart = healthy_chart()
    chart = replace(chart, findings={**chart.findings, "crackles": True, "focal_crackles": True})
    heard = [
        note for note in sample(chart, "test") if re.search(r"(crackles|rales|crepitations) (at|over|in) the", note)
    ]

    assert len(heard) > 30
    assert np.mean([bool(re.search(r"\b(right|left)\b", note)) for note in heard]) > 0.97


@pytest.mark.parametrize(
    ("words", "share"), [(r"\d{2,3}\.\d ?F\b", 0.06), (r"(?i)addendum|late entry|correction|r/v \d\d:", 0.06)]
)
def test_rare_features_occur(words: str, share: float) -> None:
    """Fahrenheit and late corrections come in a few notes of every hundred."""
    found = [bool(re.search(words, note)) for label in LABELS for note in notes(label, "train")]

    assert float(np.mean(found)) == pytest.approx(share, abs=0.03)


def test_two_of_a_hundred_words_are_mistyped() -> None:
    """Typing errors reach the share of all words that was asked for, and spare numbers and short words."""
    text = " ".join(note for label in LABELS for note in notes(label, "train"))
    typed = mistype(text, Stream(np.random.default_rng(1)), 0.02)
    changed = [(old, new) for old, new in zip(text.split(" "), typed.split(" "), strict=True) if old != new]

    assert len(changed) / len(text.split(" ")) == pytest.approx(0.02, abs=0.006)
    assert all(len(old) >= 4 and not any(letter.isdigit() for letter in old) for old, _ in changed)


@pytest.mark.parametrize("group", ["cough", "bacterial"])
def test_ill_children_without_pneumonia_have_notes_of_the_same_kind(group: str) -> None:
    """Cough or fever opens notes with and without pneumonia, so that these words alone decide nothing."""
    chart = Chart(children("cough")[1], charts("cough" if group == "cough" else "bacterial")[1][1])

    assert any(re.search(r"cough|fever|temperature|pyrexia", note) for note in sample(chart, "train", 20))


def test_check_says_why_the_film_was_taken() -> None:
    """A child without complaints came for an operation, an injury or a screening."""
    written = " ".join(sample(Chart(children("check")[0], dict.fromkeys(FINDINGS, False)), "train"))

    assert all(word in written for word in ("hernia", "tonsillectomy", "coin", "murmur"))
