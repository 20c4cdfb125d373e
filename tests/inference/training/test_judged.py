from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from inference.backends import Backend
from inference.backends.onnx import OnnxBackend
from inference.checkpoint import SHIPPED, Checkpoint
from inference.contract import SLOT_OF_KEY, SUBSETS, FloatArray, Tensor
from inference.manifest import MASKS
from inference.model.mllm import MultimodalModel
from inference.training.cases import tensors_of
from inference.training.data.films import Film, load_pixels, read_folder
from inference.training.encode_cases import CaseArrays, arrays_of, cases_of
from inference.training.evaluate import EncodedFilms, judge
from inference.training.fit_fusion import encode_films
from inference.training.judged import answer_masks, judge_films, without_measurements
from inference.training.served import ServedFilms, inputs_of, mask_inputs
from inference.words import open_tokenizer
from tests.inference.model.conftest import SMALL
from tests.inference.training.made import draw_answers, make_folder


@pytest.fixture
def films(tmp_path: Path) -> list[Film]:
    return read_folder(make_folder(tmp_path, 6))


def test_age_and_sex_stay(tiny: Checkpoint, films: list[Film]) -> None:
    """What is taken away is what was measured; the cases themselves are not changed."""
    cases = arrays_of(cases_of(films, 0, grammar="test", complete=1.0), tiny.tokenizer)
    before = cases.value_present.copy()

    bare = without_measurements(cases)

    assert bare.value_present.sum(1).tolist() == [2] * len(films)
    assert bare.value_present[:, SLOT_OF_KEY["age"]].all()
    np.testing.assert_array_equal(cases.value_present, before)


@pytest.mark.parametrize("mask", MASKS)
def test_two_questions_answer_every_mask(tiny: Checkpoint, backend: Backend, films: list[Film], mask: str) -> None:
    """Logits read from the subsets are those of a case from which the other modalities were taken away."""
    cases = arrays_of(cases_of(films, 0, grammar="test"), tiny.tokenizer)
    expected = backend.run(mask_inputs(inputs_of(films, cases), mask.split("+")), [Tensor.LOGITS])[Tensor.LOGITS]

    found = answer_masks(ServedFilms(backend, films), cases)[mask]

    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_shipped_graph_answers_every_mask_from_two_questions(films: list[Film]) -> None:
    """The same of the graph that ships, which takes age and sex away with the measurements."""
    backend, tokenizer = OnnxBackend(SHIPPED / "model.onnx"), open_tokenizer(SHIPPED / "tokenizer.json")
    cases = arrays_of(cases_of(films[:2], 0, grammar="test", complete=1.0), tokenizer)
    inputs = inputs_of(films[:2], cases)

    found = answer_masks(ServedFilms(backend, films[:2]), cases)

    for mask in MASKS:
        expected = backend.run(mask_inputs(inputs, mask.split("+")), [Tensor.LOGITS])[Tensor.LOGITS]
        assert np.abs(found[mask] - expected).max() < 1e-3, mask


def counting(cases: CaseArrays) -> FloatArray:
    """Answer with the number of the subset, and with how much was measured."""
    logits = np.zeros((len(cases.tokens), len(SUBSETS), 3), np.float32)
    logits[..., 0], logits[..., 1] = np.arange(len(SUBSETS)), cases.value_present.sum(1)[:, None]
    return logits


def test_draws_of_one_film_are_cases_of_one_patient(tiny: Checkpoint, films: list[Film]) -> None:
    """Three draws a film are three cases with that film's label and patient, and different measurements."""
    answers = judge_films(counting, films, tiny.tokenizer, 0, 3)

    first = answers.films == 0
    assert first.sum() == 3
    assert set(answers.groups[first]) == {films[0].group}
    assert len({tuple(row) for row in answers.logits[MASKS[-1]][first]}) > 1


def test_mask_without_measurements_is_asked_without_them(tiny: Checkpoint, films: list[Film]) -> None:
    """`image` is the subset of image and of age and sex alone."""
    answers = judge_films(counting, films, tiny.tokenizer, 0, 1)

    assert answers.logits["image"][0].tolist() == [SUBSETS.index((True, False, True)), 2, 0]


def test_case_without_a_note_is_not_judged_by_its_note() -> None:
    """A mask is judged on the cases that have all of it, and each case by all it has."""
    answers = draw_answers(30)

    assert len(answers.of("text").labels) == 20
    assert len(answers.of("image+structured").labels) == 30
    assert answers.fullest()[:2].tolist() == ["image+structured", "image+text+structured"]


def test_progress_counts_every_question(tiny: Checkpoint, backend: Backend, films: list[Film]) -> None:
    """Whoever waits is told of each film twice a draw."""
    told: list[int] = []

    judge_films(ServedFilms(backend, films, told.append), films, tiny.tokenizer, 0, 2)

    assert sum(told) == 2 * 2 * len(films)


def test_model_in_training_answers_as_it_will_when_served(tiny: Checkpoint, films: list[Film]) -> None:
    """PyTorch with image tokens computed once gives the logits of each mask that `judge` gives one mask at a time."""
    torch.manual_seed(0)
    model = MultimodalModel(replace(SMALL, vocabulary=400))
    tokens = encode_films(model.image, torch.from_numpy(load_pixels(films))[:, None], None)
    cases = arrays_of(cases_of(films, 0, grammar="test"), tiny.tokenizer)

    found = answer_masks(EncodedFilms(model, tokens), cases)

    tensors = tensors_of(cases_of(films, 0, grammar="test"), tiny.tokenizer)
    for mask in MASKS:
        np.testing.assert_allclose(found[mask], judge(model, tokens, tensors, mask.split("+")), atol=1e-4)
