from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from inference.backends import Backend, BackendError, open_backend
from inference.backends.onnx import OnnxBackend, session_options
from inference.backends.protocol import MAX_BATCH, canary
from inference.checkpoint import Checkpoint
from inference.contract import ANSWER_NAMES, OUTPUT_NAMES, PER_PIECE, TEXT_TOKENS, Tensor
from tests.inference.batches import random_batch


def test_all_outputs_come_unless_some_are_asked_for(backend: Backend) -> None:
    """The default is what a card needs; the memory of the encoders comes when it is asked for."""
    assert tuple(backend.run(canary())) == ANSWER_NAMES
    assert tuple(backend.run(canary(), (Tensor.LOGITS,))) == (Tensor.LOGITS,)


def test_patients_of_a_batch_do_not_mix(backend: Backend) -> None:
    """A patient gets the same answer alone and among others."""
    batch = random_batch(MAX_BATCH + 2)
    together = backend.run(batch, OUTPUT_NAMES)
    last = backend.run({name: array[-1:] for name, array in batch.items()}, OUTPUT_NAMES)

    for name in OUTPUT_NAMES:
        np.testing.assert_allclose(together[name][-1], last[name][0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("words", [0, 1, 32, 33, TEXT_TOKENS])
def test_outputs_are_as_wide_as_the_contract_says_however_short_the_note(backend: Backend, words: int) -> None:
    """The graph is spared the padding, and nobody who reads its answer notices."""
    batch = random_batch(2)
    batch[Tensor.TOKENS][:, words:] = 0
    found = backend.run(batch, OUTPUT_NAMES)

    assert {found[name].shape[1] for name in PER_PIECE} == {TEXT_TOKENS}
    assert not found[Tensor.TEXT_RELEVANCE][:, words:].any()


def test_graph_that_answers_is_healthy(backend: Backend) -> None:
    """Health is an answer to a question, not a process that exists."""
    assert backend.healthy()


def test_waiting_threads_do_not_spin() -> None:
    """On shared cores a spinning thread takes the time of the others."""
    options = session_options(2)

    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (2, 1)


def test_threads_reach_the_session(tiny: Checkpoint) -> None:
    """The setting of the operator is the number of threads of the graph."""
    opened = open_backend(tiny, None, threads=2)

    assert isinstance(opened, OnnxBackend)
    assert opened.session.get_session_options().intra_op_num_threads == 2


def test_file_that_is_no_graph_is_refused(tmp_path: Path) -> None:
    """A damaged graph is a sentence that names the file."""
    (tmp_path / "model.onnx").write_bytes(b"not a graph")

    with pytest.raises(BackendError, match=r"cannot load .*model\.onnx"):
        OnnxBackend(tmp_path / "model.onnx")


def test_graph_of_another_contract_is_refused(tiny: Checkpoint, tmp_path: Path) -> None:
    """A graph that lacks an output fails when it is loaded, not at the first patient."""
    graph = onnx.load(tiny.model_path)
    del graph.graph.output[-1]
    onnx.save(graph, tmp_path / "model.onnx")

    with pytest.raises(BackendError, match="other inputs or outputs"):
        OnnxBackend(tmp_path / "model.onnx")
