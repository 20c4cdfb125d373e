from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from explain.methods.memories import remember
from explain.methods.words import (
    SMALLEST_FALL,
    ask_without_spans,
    counting_spans,
    marks_of,
    piece_falls,
    pieces_of,
    word_effects,
)
from explain.tested import WordEffect
from inference.checkpoint import Checkpoint
from tests.explain.methods.planted import NOTE, Chart, Planted, Rule, make_case, symptom, words_at
from tests.explain.methods.planted import word_effects as planted_effects

RULE: Rule = lambda seen: 0.2 + 0.5 * seen.word("crackles") - 0.2 * seen.word("eats")  # noqa: E731


def found(tiny: Checkpoint, rule: Rule, chart: Chart | None = None, **changes: Any) -> tuple[WordEffect, ...]:
    explorer = Planted(tiny, rule)
    case = make_case(explorer, chart, **changes)
    memory = remember(case, explorer)
    spans = counting_spans(case, piece_falls(case, explorer, memory))
    return word_effects(case, spans, ask_without_spans(case, explorer, memory, spans))


def words(effect: WordEffect) -> str:
    return NOTE[effect.start : effect.end]


def test_the_words_that_move_the_answer_are_marked_with_what_they_move(tiny: Checkpoint) -> None:
    """A word the model answers by, and one that speaks against; no other."""
    told = {words(effect): effect.points for effect in found(tiny, RULE)}

    assert told == {"crackles": pytest.approx(0.5), "eats": pytest.approx(-0.2)}


def test_a_mark_names_what_the_model_takes_the_word_for(tiny: Checkpoint) -> None:
    """The entity comes along with the span that holds it."""
    (effect,) = found(tiny, lambda seen: 0.2 + 0.5 * seen.word("crackles"))

    assert [entity.kind for entity in effect.entities] == ["symptom"]


@pytest.mark.parametrize("chart", [Chart(note=False), None])
def test_where_no_word_moves_the_answer_none_is_marked(tiny: Checkpoint, chart: Chart | None) -> None:
    """No note, or a note that the model does not answer by."""
    assert found(tiny, lambda seen: 0.3 + 0.4 * seen.given("crp"), chart) == ()


def test_a_fall_of_less_than_half_a_point_is_none(tiny: Checkpoint) -> None:
    """Rounded, nobody would see it."""
    assert found(tiny, lambda seen: 0.2 + 0.9 * SMALLEST_FALL * seen.word("crackles")) == ()


def test_two_words_that_say_the_same_are_not_missed_together(tiny: Checkpoint) -> None:
    """Each alone changes nothing when either is enough: then neither is marked, rather than one by chance."""
    either: Rule = lambda seen: 0.2 + 0.5 * np.maximum(seen.word("fever"), seen.word("crackles"))  # noqa: E731

    assert found(tiny, either) == ()


@pytest.mark.parametrize(("changes", "expected"), [({}, "crackles"), ({"negated": True}, ""), ({"other": True}, "")])
def test_only_findings_of_this_patient_can_be_taken_away(
    tiny: Checkpoint, changes: dict[str, bool], expected: str
) -> None:
    """A counterfactual names no denied finding and nobody else's."""
    explorer = Planted(tiny, RULE)
    case = make_case(explorer, entities=(symptom("crackles", **changes),))
    (mark,) = marks_of(case, counting_spans(case, planted_effects(crackles=0.5)))

    assert expected in mark.words
    assert bool(mark.words) == bool(expected)


def test_the_note_is_read_as_far_as_the_model_read_it(tiny: Checkpoint) -> None:
    """A piece is one word here, and there are as many as the note has."""
    case = make_case(Planted(tiny, RULE))

    assert pieces_of(case)[0].start == words_at()[0][0]
    assert pieces_of(case)[-1].end == len(NOTE)
