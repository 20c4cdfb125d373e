from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from inference.training.shrink import shrink

EXACT = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float16).astype(np.float32)
INEXACT = EXACT + np.float32(1e-5)
HUGE = np.full((64, 64), 1e6, np.float32)
ROWS = np.random.default_rng(1).normal(size=(3, 64)).astype(np.float32)


def write(path: Path, *weights: npt.NDArray[np.float32]) -> Path:
    """A graph that multiplies its input with one weight after the other."""
    names = [f"weight_{number}" for number in range(len(weights))]
    steps = ["rows", *[f"step_{number}" for number in range(1, len(weights))], "answer"]
    nodes = [
        helper.make_node("MatMul", [before, name], [after])
        for before, name, after in zip(steps[:-1], names, steps[1:], strict=True)
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["B", 64]) for name in ("rows", "answer")]
    tensors = [numpy_helper.from_array(weight, name) for weight, name in zip(weights, names, strict=True)]
    graph = helper.make_graph(nodes, "small", ends[:1], ends[1:], tensors)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), str(path))
    return path


def run(path: Path) -> npt.NDArray[np.float32]:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    answer: npt.NDArray[np.float32] = session.run(None, {"rows": ROWS})[0]
    return answer


@pytest.mark.parametrize("weights", [(EXACT,), (EXACT, EXACT), (EXACT, INEXACT), (HUGE,)])
def test_answers_stay_the_same(tmp_path: Path, weights: tuple[npt.NDArray[np.float32], ...]) -> None:
    """Only what half precision holds exactly is stored so: nothing that is computed changes."""
    path = write(tmp_path / "model.onnx", *weights)
    before = run(path)
    shrink(path)

    assert np.array_equal(run(path), before)
    onnx.checker.check_model(str(path))


@pytest.mark.parametrize(
    ("weights", "share"), [((EXACT,), 0.55), ((EXACT, EXACT), 0.3), ((INEXACT,), 1.05), ((HUGE,), 1.05)]
)
def test_file_shrinks_by_what_is_exact_or_double(
    tmp_path: Path, weights: tuple[npt.NDArray[np.float32], ...], share: float
) -> None:
    """Exact weights take half the bytes, equal ones are stored once, others stay."""
    path = write(tmp_path / "model.onnx", *weights)
    before = path.stat().st_size
    shrink(path)

    assert path.stat().st_size <= before * share
