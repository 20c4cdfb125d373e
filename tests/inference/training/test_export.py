from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from inference.backends.onnx import OnnxBackend
from inference.checkpoint import SHIPPED, CheckpointError
from inference.contract import OUTPUT_NAMES, PER_PIECE
from inference.model.mllm import Batch
from inference.model.relevance import run_and_explain
from inference.training.export import export_onnx
from inference.training.pack import GOLDEN_NAME, WEIGHTS_NAME, golden_inputs, load_weights, save_weights
from tests.inference.model.conftest import model

__all__ = ["model"]
TOLERANCE = 2e-5


def read_golden() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    with np.load(SHIPPED / GOLDEN_NAME, allow_pickle=False) as arrays:
        content = dict(arrays)
    return (
        {name.removeprefix("in."): array for name, array in content.items() if name.startswith("in.")},
        {name.removeprefix("out."): array for name, array in content.items() if name.startswith("out.")},
    )


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.filterwarnings("ignore")  # the exporter of the pinned torch warns about itself
def test_exported_graph_equals_autograd(model: torch.nn.Module, tmp_path: Path, batch: int) -> None:
    """For any batch size the ONNX graph gives PyTorch's answer and PyTorch's relevance."""
    path = tmp_path.parent / "exported.onnx"
    if not path.exists():
        export_onnx(model, path)  # type: ignore[arg-type]  # the fixture is an M-LLM
    inputs = {name: tensor[:batch] for name, tensor in golden_inputs().items()}
    inputs["tokens"] = inputs["tokens"] % 64

    expected = run_and_explain(model, Batch(**inputs)).in_order()  # type: ignore[arg-type]
    found = OnnxBackend(path).run({name: tensor.numpy() for name, tensor in inputs.items()}, OUTPUT_NAMES)
    words = int((inputs["tokens"] != 0).sum(1).max())

    for name, whole in zip(OUTPUT_NAMES, expected, strict=True):
        # What PyTorch made of padding, the graph was not asked for.
        tensor = whole[:, :words] if name in PER_PIECE else whole
        found[name] = found[name][:, :words] if name in PER_PIECE else found[name]
        assert np.abs(found[name] - tensor.numpy()).max() < TOLERANCE * max(1, float(tensor.abs().max())), name


def test_shipped_graph_gives_its_golden_answers() -> None:
    """The graph in the repository answers and explains the golden inputs as PyTorch did when it was exported."""
    inputs, outputs = read_golden()
    found = OnnxBackend(SHIPPED / "model.onnx").run(inputs)

    for name, expected in outputs.items():
        assert np.abs(found[name] - expected).max() < 1e-4 * max(1, np.abs(expected).max()), name


def test_shipped_weights_are_what_the_graph_was_exported_from() -> None:
    """PyTorch with the shipped weights gives the golden answers too."""
    inputs, outputs = read_golden()
    batch = Batch(**{name: torch.from_numpy(array) for name, array in inputs.items()})
    found = dict(
        zip(OUTPUT_NAMES, run_and_explain(load_weights(SHIPPED / WEIGHTS_NAME), batch).in_order(), strict=True)
    )

    for name, expected in outputs.items():
        assert np.abs(found[name].numpy() - expected).max() < 1e-4 * max(1, np.abs(expected).max()), name


def test_shipped_files_stay_under_the_limit() -> None:
    """Weights in the repository are under 40 MB, and none of them is a pickle."""
    files = list(SHIPPED.iterdir())

    assert sum(file.stat().st_size for file in files) < 40e6
    assert {file.suffix for file in files} <= {".onnx", ".safetensors", ".npz", ".json"}


def test_weights_of_another_model_are_refused(model: torch.nn.Module, tmp_path: Path) -> None:
    """A weights file whose keys do not fit its own configuration is named in the error."""
    path = tmp_path / "model.safetensors"
    model.register_parameter("stray", torch.nn.Parameter(torch.ones(1)))
    try:
        save_weights(model, path)  # type: ignore[arg-type]
    finally:
        del model.stray

    with pytest.raises(CheckpointError, match="stray"):
        load_weights(path)


def test_weights_without_an_entity_head_are_refused(model: torch.nn.Module, tmp_path: Path) -> None:
    """A file of before there was a head cannot answer with it; the error says what to do."""
    path = tmp_path / "model.safetensors"
    save_weights(model, path)  # type: ignore[arg-type]
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    save_file({name: tensor for name, tensor in load_file(path).items() if "entities." not in name}, path, metadata)

    with pytest.raises(CheckpointError, match=r"missing or unknown weights \(entities\..*train it again"):
        load_weights(path)


def test_a_file_that_is_no_weights_file_is_refused(tmp_path: Path) -> None:
    """The error says what to do."""
    with pytest.raises(CheckpointError, match="train or fetch"):
        load_weights(tmp_path / "missing.safetensors")
