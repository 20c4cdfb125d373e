from __future__ import annotations

from pathlib import Path

import pytest

from inference.backends import open_backend
from inference.backends.onnx import OnnxBackend
from inference.backends.protocol import canary
from inference.backends.triton_config import GIVEN_TOGETHER, OUTPUT_DIMS, config_pbtxt, write_repository
from inference.checkpoint import Checkpoint, digest_of
from inference.contract import INPUT_SHAPES, OUTPUT_NAMES

COMMITTED = Path(__file__).parents[3] / "docker/triton/mllm/config.pbtxt"


def test_committed_config_is_the_generated_one() -> None:
    """The file that Docker serves follows the contract: `python -m inference.backends.triton_config` writes it."""
    assert COMMITTED.read_text() == config_pbtxt()


@pytest.mark.parametrize("name", INPUT_SHAPES)
def test_every_input_is_declared_with_its_shape(name: str) -> None:
    """A client that follows the contract sends what the server expects."""
    dims = "-1" if name == "tokens" else ", ".join(map(str, INPUT_SHAPES[name]))
    kind = "TYPE_INT64" if name == "tokens" else "TYPE_FP32"

    assert f'{{ name: "{name}" data_type: {kind} dims: [ {dims} ] optional: true }}' in config_pbtxt()


def test_declared_outputs_are_those_of_the_graph(tiny: Checkpoint) -> None:
    """The dimensions written for Triton are those that the graph really gives."""
    opened = open_backend(tiny, None)
    assert isinstance(opened, OnnxBackend)
    found = {name: array.shape[1:] for name, array in opened.run(canary(), OUTPUT_NAMES).items()}

    assert tuple(OUTPUT_DIMS) == OUTPUT_NAMES
    for name, dims in OUTPUT_DIMS.items():
        assert len(dims) == len(found[name])
        assert all(side in {-1, there} for side, there in zip(dims, found[name], strict=True)), name


def test_every_input_belongs_to_one_modality() -> None:
    """No input can be left out alone."""
    assert sorted(name for group in GIVEN_TOGETHER for name in group) == sorted(INPUT_SHAPES)


def test_repository_holds_the_graph_itself(tiny: Checkpoint, tmp_path: Path) -> None:
    """The same file answers in process and on Triton, to the last byte."""
    model = write_repository(tiny, tmp_path, queue_delay_us=9, threads=3)

    assert digest_of(model / "1/model.onnx") == tiny.digest
    assert "class TritonPythonModel" in (model / "1/model.py").read_text()
    assert (model / "config.pbtxt").read_text() == config_pbtxt(queue_delay_us=9, threads=3)
