"""The graph that ships -> whether its maps are those that were tested here, and whether they survive 8 bits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch

from explain.methods.covering import windows
from explain.methods.variants import patch_mask
from explain.research.cases import Cases
from explain.research.eight_bit import quantise
from explain.research.intervals import mean_figure
from explain.research.methods import by_word
from explain.research.ranks import spearman
from explain.research.variants import Doubles
from fhir_adapter.record import Modality
from inference.backends.cut import CutGraph
from inference.backends.onnx import OnnxBackend
from inference.calibrate import probabilities
from inference.contract import INPUT_SHAPES, PATCHES, TEXT_TOKENS, Tensor
from inference.figures import Figure
from inference.model.mllm import Batch

GIVEN: Final[Mapping[tuple[Modality, str], str]] = {
    ("image", "relevance"): Tensor.IMAGE_RELEVANCE,
    ("text", "relevance"): Tensor.TEXT_RELEVANCE,
    ("text", "attention_x_gradient"): Tensor.TEXT_EFFECT,
    ("structured", "left_out_without_note"): Tensor.VALUE_EFFECT,
}
"""Output of the graph behind each method that it gives."""
COVERED: Final = 8
"""Cases, the first ones, whose films the graph and its 8-bit copy are asked about again and again."""
Outputs = Mapping[str, npt.NDArray[Any]]


def run_graph(model: Path, cases: Cases) -> Outputs:
    """Run a graph on cases: logits and the outputs of `GIVEN`."""
    return OnnxBackend(model).run(arrays_of(cases), (Tensor.LOGITS, *GIVEN.values()))


def arrays_of(cases: Cases) -> dict[str, npt.NDArray[Any]]:
    """Return cases as the inputs of the graph."""
    arrays = {field.name: getattr(cases.batch, field.name).numpy() for field in fields(Batch)}
    short = arrays[Tensor.TOKENS]
    arrays[Tensor.TOKENS] = np.pad(short, ((0, 0), (0, TEXT_TOKENS - short.shape[1])))
    return {name: arrays[name] for name in INPUT_SHAPES}


def maps_of(outputs: Outputs, cases: Cases) -> dict[tuple[Modality, str], Doubles]:
    """Return what a graph gave as the maps that were tested: (N, PATCHES), (N, width), (N, SLOTS)."""
    found = {}
    for key, name in GIVEN.items():
        values = outputs[name]
        if key[0] == "text":
            found[key] = by_word(cases, torch.from_numpy(values[:, : cases.words.shape[1]]))
        else:
            found[key] = values.astype(np.float64)
    return found


def cover_films(model: Path, cases: Cases) -> Doubles:
    """Return the maps (N, PATCHES) of `explain.methods.covering` by a graph, for the diagnosis it holds likeliest."""
    graph, arrays, taken = CutGraph(model, (Tensor.LOGITS,)), arrays_of(cases), windows()
    plain, blurred = arrays[Tensor.IMAGE], cases.blurred.numpy()
    logits = graph.run(arrays)[Tensor.LOGITS]
    answers = logits.argmax(1)[:, None]
    found = np.zeros((len(cases), PATCHES))
    for window in taken:
        mask = patch_mask(window[None])[0]
        changed = graph.run({**arrays, Tensor.IMAGE: np.where(mask, blurred, plain)})[Tensor.LOGITS]
        fall = np.take_along_axis(probabilities(logits, 1.0) - probabilities(changed, 1.0), answers, 1)
        found += fall * window
    shared: Doubles = found / taken.sum(0)
    return shared


def graph_figures(model: Path, cases: Cases, maps: Mapping[tuple[Modality, str], Doubles]) -> Iterator[Figure]:
    """Yield the agreement of the graph with `maps`, drawn by PyTorch, and with its own 8-bit copy.

    `method.<modality>.<method>.served` and `.int8` are rank correlations of maps, `int8.same_answer` is the share of
    cases with the same diagnosis.
    """
    tested = maps["image", "covering"][:COVERED]
    few = cases.pick(slice(len(tested)))
    with TemporaryDirectory() as folder:
        small = Path(folder) / "int8.onnx"
        quantise(model, small)
        exact, coarse = run_graph(model, cases), run_graph(small, cases)
        asked, asked_coarsely = (cover_films(path, few) for path in (model, small))
    served, rounded = maps_of(exact, cases), maps_of(coarse, cases)
    yield from agreement(("image", "covering"), few, (tested, asked, asked_coarsely))
    for key, found in served.items():
        yield from agreement(key, cases, (maps[key], found, rounded[key]))
    same = exact[Tensor.LOGITS].argmax(1) == coarse[Tensor.LOGITS].argmax(1)
    yield from mean_figure("int8.same_answer", same.astype(np.float64), cases.patients)


def agreement(key: tuple[Modality, str], cases: Cases, maps: tuple[Doubles, Doubles, Doubles]) -> Iterator[Figure]:
    """Yield how alike maps by PyTorch and by the graph are, and by the graph and its 8-bit copy."""
    there, name = cases.there(key[0]), f"method.{key[0]}.{key[1]}"
    tested, served, coarse = maps
    yield from mean_figure(f"{name}.served", spearman(tested, served, there), cases.patients)
    yield from mean_figure(f"{name}.int8", spearman(served, coarse, there), cases.patients)
