from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from inference.contract import TEXT_TOKENS
from inference.model.text import PADDING, TextEncoder
from inference.training.data.films import FolderError
from inference.training.data.medqa import Question
from inference.training.devices import Place
from inference.training.medqa_task import (
    STAGE,
    Chooser,
    encode_questions,
    fit_chooser,
    is_held_out,
    join_tokens,
    judge_chooser,
)
from inference.training.progress import Silent
from inference.training.tokenizer import train_tokenizer
from tests.inference.model.conftest import SMALL

WORDS = ("fever", "cough", "wheeze", "rash", "thirst", "sneeze")
QUESTIONS = [
    Question(f"A child has {word}. What is it?", tuple(f"{other} fever" for other in WORDS[:4]), place % 4, "")
    for place, word in enumerate(WORDS[:4] * 8)
]


def test_right_option_that_repeats_the_question_can_be_learnt(tmp_path: Path) -> None:
    """Where the right option is the word that was asked for, a few epochs answer more often than chance."""
    tokenizer = train_tokenizer([text for question in QUESTIONS for text in (question.text, *question.options)], 60)
    data = encode_questions(QUESTIONS, tokenizer)
    torch.manual_seed(0)
    stage = replace(STAGE, epochs=30, batch=8, rate=5e-3, average=0.8, dropout=0.0)
    run = (Place(torch.device("cpu")), Silent(), tmp_path / "state.safetensors")

    chooser = fit_chooser(Chooser(TextEncoder(SMALL), SMALL), data, 0, run, stage)
    found = {figure.name: figure.value for figure in judge_chooser(chooser, data)}

    assert found["medqa.accuracy"] > 0.5
    assert found["medqa.chance"] == 0.25


def test_long_question_keeps_its_end_and_the_whole_option() -> None:
    """What is asked stands at the end of a vignette: its beginning is cut."""
    question = [2, *range(100, 400), 3]
    joined = join_tokens(question, [2, 50, 51, 3], 3)

    assert len(joined) == TEXT_TOKENS
    assert joined[0] == 2
    assert joined[-5:] == [399, 3, 50, 51, 3]


def test_short_question_is_padded() -> None:
    """A short one is filled up with padding."""
    joined = join_tokens([2, 7, 3], [2, 8, 3], 3)

    assert joined[:5] == [2, 7, 3, 8, 3]
    assert set(joined[5:]) == {PADDING}


def test_option_of_any_length_leaves_a_frame() -> None:
    """An option longer than the model reads is cut, and nothing fails."""
    assert len(join_tokens([2, 7, 3], [2, *range(500), 3], 3)) == TEXT_TOKENS


def test_questions_with_different_numbers_of_options_are_refused() -> None:
    """A file that mixes four and five options is named as such."""
    mixed = [QUESTIONS[0], replace(QUESTIONS[1], options=("a", "b"), answer=0)]

    with pytest.raises(FolderError, match="number of options"):
        encode_questions(mixed, train_tokenizer(["a b fever"], 40))


def test_held_out_share_is_decided_by_the_text() -> None:
    """About three of ten questions are kept, the same ones each time."""
    many = [replace(QUESTIONS[0], text=f"Question {number}?") for number in range(400)]
    kept = [is_held_out(question) for question in many]

    assert kept == [is_held_out(question) for question in many]
    assert 80 < sum(kept) < 160
