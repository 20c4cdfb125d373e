"""Variants of a case: the parts of the graph give what the whole graph gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inference.backends import Backend, BackendError
from inference.backends.cut import FUSION_INPUTS, Part
from inference.calibrate import probabilities
from inference.checkpoint import Checkpoint
from inference.contract import SLOTS, TEXT_TOKENS, Tensor
from inference.explore import FILMS, ROWS, Chart, Explorer
from tests.inference.batches import random_batch


@pytest.fixture(name="explorer")
def open_explorer(tiny: Checkpoint) -> Explorer:
    return Explorer(tiny)


def test_whole_cases_are_answered_as_the_backend_answers_them(explorer: Explorer, backend: Backend) -> None:
    """A variant is judged by the model that judged the case, calibrated by the same temperatures."""
    batch = random_batch(6)
    logits = backend.run(batch, [Tensor.LOGITS])[Tensor.LOGITS]
    expected = probabilities(logits, explorer.checkpoint.calibration.temperatures)

    np.testing.assert_allclose(explorer.whole(batch), expected, atol=1e-6)


def test_the_fusion_alone_gives_the_answer_of_the_whole_graph(explorer: Explorer) -> None:
    """With film and note remembered, another structured record is answered as if everything had run."""
    case, rows = random_batch(1), ROWS + 3
    values = np.random.default_rng(0).normal(size=(rows, SLOTS)).astype(np.float32)
    chart = Chart(values, np.ones((rows, SLOTS), np.float32), np.zeros((rows, SLOTS), np.float32))
    whole = {name: np.repeat(array, rows, 0) for name, array in case.items()}
    whole |= {Tensor.VALUES: values, Tensor.VALUE_PRESENT: chart.present, Tensor.VALUE_AGE: chart.age}

    fused = explorer.fused(explorer.memory(case), chart)

    np.testing.assert_allclose(fused, explorer.whole(whole), atol=1e-6)


def test_padding_is_not_remembered(explorer: Explorer) -> None:
    """A short note leaves a short memory: variants of its record are cheaper."""
    case = random_batch(1)
    case[Tensor.TOKENS][:, 20:] = 0

    assert explorer.memory(case).note.shape[1] == 32 < TEXT_TOKENS


def test_other_films_and_notes_are_answered_as_whole_cases(explorer: Explorer) -> None:
    """Only the encoder of what changed runs again, and the answer is the same."""
    case, others = random_batch(1), random_batch(ROWS + 1)
    memory, chart = explorer.memory(case), Chart.of(case)
    whole = {name: np.repeat(array, ROWS + 1, 0) for name, array in case.items()}
    films, notes = others[Tensor.IMAGE], others[Tensor.TOKENS]
    present = np.ones((ROWS + 1, 1), np.float32)
    with_films = {**whole, Tensor.IMAGE: films, Tensor.IMAGE_PRESENT: present}
    with_notes = {**whole, Tensor.TOKENS: notes, Tensor.TEXT_PRESENT: present}

    np.testing.assert_allclose(explorer.films(memory, films, chart), explorer.whole(with_films), atol=1e-6)
    np.testing.assert_allclose(explorer.notes(memory, notes, present, chart), explorer.whole(with_notes), atol=1e-6)


def test_every_run_of_the_graph_may_be_held_up(tiny: Checkpoint) -> None:
    """Between two runs a waiting hook goes first."""
    paused: list[None] = []
    explorer, case = Explorer(tiny, pause=lambda: paused.append(None)), random_batch(1)
    assert len(paused) == 4  # one for each part that is cut and loaded
    paused.clear()

    explorer.films(explorer.memory(case), random_batch(2 * FILMS)[Tensor.IMAGE], Chart.of(case))

    assert len(paused) == 2 + 2 + 1  # two encoders of the case, two runs of films, one of the fusion


def test_a_graph_without_the_memory_of_the_encoders_is_refused(tiny: Checkpoint) -> None:
    """A part that the graph does not have is a sentence, not a KeyError."""
    with pytest.raises(BackendError, match="export it again"):
        Part(tiny.model_path, FUSION_INPUTS, ["no_such_output"])


def test_a_missing_graph_is_refused(tiny: Checkpoint) -> None:
    """An explorer reads the graph from the checkpoint's folder."""
    with pytest.raises((BackendError, FileNotFoundError)):
        Explorer(replace(tiny, folder=tiny.folder / "nowhere"))
