from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnx.parser
import onnxruntime
import pytest
from onnx import numpy_helper

from explain.research.cases import Cases
from explain.research.eight_bit import quantise
from explain.research.methods import METHODS, draw_maps
from explain.research.served import GIVEN, cover_films, graph_figures, maps_of, run_graph
from explain.research.variants import Subject
from fhir_adapter.record import Modality
from inference.checkpoint import Checkpoint
from inference.contract import PATCHES, SLOTS
from inference.training.shrink import shrink
from tests.inference.tiny_checkpoint import make_checkpoint

COVERING: tuple[Modality, str] = ("image", "covering")
GRAPH = """
<ir_version: 9, opset_import: ["" : 18]>
product (float[B,32] x) => (float[B,16] y) { y = MatMul (x, w) }
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return make_checkpoint(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """A product with weights stored in half precision, as `shrink` stores those that ship."""
    weights = np.random.default_rng(0).normal(size=(32, 16)).astype(np.float16).astype(np.float32)
    made = onnx.parser.parse_model(GRAPH)
    made.graph.initializer.append(numpy_helper.from_array(weights, "w"))
    path = tmp_path / "model.onnx"
    onnx.save(made, str(path))
    shrink(path)
    return path


def test_weights_become_eight_bits(graph: Path, tmp_path: Path) -> None:
    """Also behind the Cast that widens them: the product is one of integers then, and nearly the same."""
    quantise(graph, tmp_path / "small.onnx")
    x = np.random.default_rng(1).normal(size=(4, 32)).astype(np.float32)
    exact, coarse = (
        onnxruntime.InferenceSession(str(path)).run(None, {"x": x})[0] for path in (graph, tmp_path / "small.onnx")
    )

    assert "MatMulInteger" in {node.op_type for node in onnx.load(str(tmp_path / "small.onnx")).graph.node}
    assert 0 < np.abs(exact - coarse).max() < 0.3


def test_maps_of_the_graph_have_the_form_of_the_methods(tiny: Checkpoint, cases: Cases) -> None:
    """Word pieces are added up to words; film and values stay as they are."""
    found = maps_of(run_graph(tiny.model_path, cases), cases)

    assert found["image", "relevance"].shape == (3, PATCHES)
    assert found["text", "relevance"].shape == (3, cases.width)
    assert found["structured", "left_out_without_note"].shape == (3, SLOTS)


def test_graph_is_held_against_the_tested_maps(tiny: Checkpoint, cases: Cases) -> None:
    """A graph agrees wholly with its own maps, and nearly so with its 8-bit copy."""
    maps = {**maps_of(run_graph(tiny.model_path, cases), cases), COVERING: cover_films(tiny.model_path, cases)}
    found = {one.name: one.value for one in graph_figures(tiny.model_path, cases, maps)}

    assert min(found[f"method.{modality}.{method}.served"] for modality, method in GIVEN) == pytest.approx(1.0)
    assert found["method.image.relevance.int8"] > 0.9
    assert found["method.image.covering.int8"] > 0.5  # this graph hardly looks at the film
    assert found["method.image.covering.served"] == pytest.approx(1.0)


def test_maps_of_another_model_are_noticed(tiny: Checkpoint, subject: Subject) -> None:
    """Where PyTorch and the graph are not the same model, the figure says so."""
    drawn = {key: draw_maps(subject, {"m": METHODS[key[0]][key[1]]})["m"] for key in (*GIVEN, COVERING)}
    found = {one.name: one.value for one in graph_figures(tiny.model_path, subject.cases, drawn)}

    assert found["method.image.relevance.served"] < 0.9
