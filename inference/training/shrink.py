"""ONNX graph -> the same graph in half the bytes: weights that are exact in half precision are stored so.

The weights were rounded to half precision before the export (`inference.training.pack.round_weights`), so nothing is
lost: ONNX Runtime widens them once, when it loads the graph, and computes in single precision as before.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

SMALLEST: Final = 256
"""Elements under which a tensor is left as it is."""


def is_exact(values: npt.NDArray[np.float32]) -> bool:
    """Say whether half precision holds every value exactly."""
    with np.errstate(over="ignore"):
        return bool(np.array_equal(values.astype(np.float16).astype(np.float32), values))


def shrink(path: Path) -> None:
    """Store large weights of the graph at `path` in half precision, and equal ones once; the file is replaced."""
    model = onnx.load(str(path))
    graph = model.graph
    first_with: dict[bytes, str] = {}
    kept: list[TensorProto] = []
    casts: list[onnx.NodeProto] = []
    renamed: dict[str, str] = {}
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size < SMALLEST:
            kept.append(tensor)
            continue
        content = repr(values.shape).encode() + values.tobytes()
        if (same := first_with.setdefault(content, tensor.name)) != tensor.name:
            renamed[tensor.name] = same
        elif is_exact(values):
            half = f"{tensor.name}.half"
            kept.append(numpy_helper.from_array(values.astype(np.float16), half))
            casts.append(helper.make_node("Cast", [half], [tensor.name], to=TensorProto.FLOAT))
        else:
            kept.append(tensor)
    for node in graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
    nodes = [*casts, *graph.node]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)
    onnx.save(model, str(path))
