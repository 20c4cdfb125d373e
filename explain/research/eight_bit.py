"""A graph -> the same graph with weights of 8 bits: whether answers and maps survive it.

Dynamic quantisation by ONNX Runtime of every matrix product with a constant: encoders and fusion alike, which is more
than a release would quantise, and so the harder test. Convolutions stay, as every gate of ours leaves them.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from onnx import numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

QUANTISED: Final = ("MatMul", "Gemm")


def quantise(model: Path, out: Path) -> None:
    """Write a quantised copy of a graph."""
    widened = out.with_suffix(".wide.onnx")
    onnx.save(widen(onnx.load(str(model))), str(widened))
    # The quantiser warns on the root logger that a graph could be prepared first; ours is as it ships.
    before, root = logging.root.level, logging.getLogger()
    root.setLevel(logging.ERROR)
    try:
        quantize_dynamic(
            widened, out, op_types_to_quantize=list(QUANTISED), weight_type=QuantType.QInt8, per_channel=True
        )
    finally:
        root.setLevel(before)
        widened.unlink(missing_ok=True)


def widen(model: onnx.ModelProto) -> onnx.ModelProto:
    """Store weights that are widened by a Cast when the graph is loaded as what they are widened to.

    The quantiser takes only constants for weights, and `inference.training.shrink` puts a Cast before them.
    """
    graph = model.graph
    halves = {tensor.name: tensor for tensor in graph.initializer if tensor.data_type == onnx.TensorProto.FLOAT16}
    casts = {node.input[0]: node for node in graph.node if node.op_type == "Cast" and node.input[0] in halves}
    nodes = [node for node in graph.node if not (node.op_type == "Cast" and node.input[0] in casts)]
    wide = [
        numpy_helper.from_array(numpy_helper.to_array(halves[name]).astype(np.float32), node.output[0])
        for name, node in casts.items()
    ]
    kept = [tensor for tensor in graph.initializer if tensor.name not in casts]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend([*kept, *wide])
    graph.node.extend(nodes)
    return model
