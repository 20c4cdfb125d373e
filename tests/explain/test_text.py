"""Marked spans of a note."""

from itertools import pairwise

import numpy as np
import pytest

from explain.text import MOST_SPANS, find_spans
from tests.explain.examples import NOTE, WORD_EFFECTS, offsets_of, text_effect


def marked(text: str, **effects: float) -> list[tuple[str, str]]:
    offsets = offsets_of(text)
    spans = find_spans(text, offsets, text_effect(text, offsets, effects))
    return [(text[span.start : span.end], span.direction) for span in spans]


def test_word_pieces_are_joined_to_words() -> None:
    """A word that the tokeniser cut into pieces is marked whole, with the sum of its effects."""
    text = "difficulty today"
    offsets = ((0, 0), (0, 5), (5, 10), (11, 16), (0, 0))
    spans = find_spans(text, offsets, np.array([9.0, 0.2, 0.2, 0.1, 0.0], np.float32))
    assert [(text[span.start : span.end], span.weight) for span in spans] == [("difficulty today", 1.0)]


def test_effects_of_one_word_may_cancel() -> None:
    """Two pieces of one word that pull to opposite sides leave the word unmarked."""
    assert find_spans("wheezing", ((0, 4), (4, 8)), np.array([0.3, -0.3], np.float32)) == ()


def test_special_tokens_mark_nothing() -> None:
    """[CLS], [SEP] and padding stand for no text, whatever effect they carry."""
    assert find_spans("fever", ((0, 0), (0, 5), (0, 0)), np.array([5.0, 0.0, -5.0], np.float32)) == ()


def test_direction_is_the_sign_of_the_effect() -> None:
    """What raises the answer speaks for it, what lowers it against."""
    assert marked("Crackles. Nose runny.", crackles=0.4, runny=-0.3) == [("Crackles", "for"), ("runny", "against")]


def test_negation_keeps_its_term() -> None:
    """A denied finding is marked together with the word that denies it."""
    assert marked("Cough. No wheeze.", wheeze=-0.4) == [("No wheeze", "against")]
    assert marked("Cough. No wheeze.", no=-0.4) == [("No wheeze", "against")]


def test_neighbours_that_pull_together_are_one_span() -> None:
    """Strong neighbours are joined, also across one weak word, but not over punctuation."""
    strong = {"crackles": 0.3, "base": 0.3, "cough": 0.3}
    assert marked("Crackles right base, cough.", **strong) == [("Crackles right base", "for"), ("cough", "for")]


def test_neighbours_that_pull_apart_stay_apart() -> None:
    """A span never mixes words for with words against."""
    assert marked("crackles runny", crackles=0.3, runny=-0.3) == [("crackles", "for"), ("runny", "against")]


@pytest.mark.parametrize(("effect", "count"), [(0.019, 1), (0.11, 2)])
def test_only_the_strongest_are_kept(effect: float, count: int) -> None:
    """A piece under a fifth of the strongest effect is not marked."""
    assert len(marked("Fever. Cough.", fever=0.5, cough=effect)) == count


def test_tiny_effects_mark_nothing() -> None:
    """When nothing moves the answer by 0.02 logits, nothing is marked."""
    assert marked("Fever. Cough.", fever=0.019, cough=0.001) == []


def test_number_of_spans_is_limited() -> None:
    """At most MOST_SPANS spans are kept, the strongest, and they stay in reading order."""
    text = ". ".join(f"w{number:02d}" for number in range(30))
    found = marked(text, **{f"w{number:02d}": 0.3 + number / 100 for number in range(30)})
    assert [word for word, _ in found] == [f"w{number:02d}" for number in range(30 - MOST_SPANS, 30)]


def test_weights_are_relative_to_the_strongest() -> None:
    """The strongest span weighs 1, the others their part of it."""
    offsets = offsets_of(NOTE)
    spans = find_spans(NOTE, offsets, text_effect(NOTE, offsets, WORD_EFFECTS))
    assert max(span.weight for span in spans) == 1.0
    assert all(0.0 < span.weight <= 1.0 for span in spans)


def test_spans_lie_on_word_borders_and_apart() -> None:
    """Spans are sorted, do not overlap, and begin and end with a letter or digit."""
    offsets = offsets_of(NOTE)
    spans = find_spans(NOTE, offsets, text_effect(NOTE, offsets, WORD_EFFECTS))
    assert all(before.end <= after.start for before, after in pairwise(spans))
    assert all(NOTE[span.start].isalnum() and NOTE[span.end - 1].isalnum() for span in spans)


def test_unread_text_is_not_marked() -> None:
    """Words behind the last token were not read, so they are never part of a span; a cut word is marked whole."""
    text = "crackles heard. crackles"
    assert [span.end for span in find_spans(text, ((0, 0), (0, 5)), np.array([0.0, 0.4], np.float32))] == [8]


def test_no_tokens_no_spans() -> None:
    """An empty note has no spans."""
    assert find_spans("", ((0, 0), (0, 0)), np.zeros(2, np.float32)) == ()


@pytest.mark.parametrize(
    ("offsets", "effect"),
    [(((0, 5),), [0.1, 0.2]), (((0, 5),), [float("nan")]), (((0, 6),), [0.1]), (((3, 2),), [0.1])],
)
def test_what_does_not_belong_together_is_refused(offsets: tuple[tuple[int, int], ...], effect: list[float]) -> None:
    """Effects and offsets that do not fit the note are refused, without a word of the note in the message."""
    with pytest.raises(ValueError, match="tok") as refused:
        find_spans("fever", offsets, np.array(effect))
    assert "fever" not in str(refused.value)


def test_a_negation_is_never_joined() -> None:
    """A denied finding stays a span of its own beside a finding that pulls the same way."""
    assert marked("fever and no rash", fever=0.3, rash=0.3) == [("fever", "for"), ("no rash", "for")]
