"""Marked spans of a note."""

import re
from itertools import pairwise

import numpy as np
import pytest

from explain.text import MOST_SPANS, mark_pieces, read_pieces
from explain.words import pieces
from tests.explain.examples import NOTE, WORD_EFFECTS

SMALLEST = 0.02


def pulls(text: str, effects: dict[str, float]) -> np.ndarray:
    """Return the sum of the effects of the words of each piece."""
    parts = [re.findall(r"\w+", text[piece.start : piece.end].lower()) for piece in pieces(text)]
    return np.array([sum(effects.get(word, 0.0) for word in part) for part in parts])


def marked(text: str, **effects: float) -> list[tuple[str, str]]:
    spans = mark_pieces(text, pieces(text), pulls(text, effects), SMALLEST)
    return [(text[span.start : span.end], span.direction) for span in spans]


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
    """When nothing moves the answer by more than the smallest pull, nothing is marked."""
    assert marked("Fever. Cough.", fever=0.019, cough=0.001) == []


def test_number_of_spans_is_limited() -> None:
    """At most MOST_SPANS spans are kept, the strongest, and they stay in reading order."""
    text = ". ".join(f"w{number:02d}" for number in range(30))
    found = marked(text, **{f"w{number:02d}": 0.3 + number / 100 for number in range(30)})
    assert [word for word, _ in found] == [f"w{number:02d}" for number in range(30 - MOST_SPANS, 30)]


def test_weights_are_relative_to_the_strongest() -> None:
    """The strongest span weighs 1, the others their part of it."""
    spans = mark_pieces(NOTE, pieces(NOTE), pulls(NOTE, WORD_EFFECTS), SMALLEST)
    assert max(span.weight for span in spans) == 1.0
    assert all(0.0 < span.weight <= 1.0 for span in spans)


def test_spans_lie_on_word_borders_and_apart() -> None:
    """Spans are sorted, do not overlap, and begin and end with a letter or digit."""
    spans = mark_pieces(NOTE, pieces(NOTE), pulls(NOTE, WORD_EFFECTS), SMALLEST)
    assert all(before.end <= after.start for before, after in pairwise(spans))
    assert all(NOTE[span.start].isalnum() and NOTE[span.end - 1].isalnum() for span in spans)


def test_text_behind_the_last_token_was_not_read() -> None:
    """A word of which the model read the beginning is a piece, those behind it are none."""
    read = read_pieces("crackles heard. crackles", ((0, 0), (0, 5)))
    assert [piece.end for piece in read] == [8]


def test_an_empty_note_has_no_spans() -> None:
    """Nor has it pieces."""
    assert read_pieces("", ((0, 0), (0, 0))) == ()
    assert marked("") == []


@pytest.mark.parametrize("effect", [[0.1, 0.2], [float("nan")], []])
def test_what_does_not_belong_together_is_refused(effect: list[float]) -> None:
    """Pulls that do not fit the note are refused, without a word of the note in the message."""
    with pytest.raises(ValueError, match="pieces") as refused:
        mark_pieces("fever", pieces("fever"), np.array(effect), SMALLEST)
    assert "fever" not in str(refused.value)


def test_a_negation_is_never_joined() -> None:
    """A denied finding stays a span of its own beside a finding that pulls the same way."""
    assert marked("fever and no rash", fever=0.3, rash=0.3) == [("fever", "for"), ("no rash", "for")]
