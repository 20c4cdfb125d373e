"""Parts of the graph that serves, cut out of the same file: the answer alone, the encoders, the fusion.

ONNX Runtime computes every node of a graph, whichever outputs are asked for. The nodes behind some outputs are taken
out unchanged, so the figures are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import onnx
import onnxruntime
from onnx.utils import Extractor

from inference.backends.onnx import RUNTIME_ERRORS, session_options
from inference.backends.protocol import Array, Arrays, BackendError, in_pieces, join_pieces, passes_canary
from inference.contract import INPUT_SHAPES, MEMORY_NAMES, Tensor

ANSWER: Final = (Tensor.LOGITS, Tensor.SUBSET_LOGITS, Tensor.IMAGE_FEATURE)
PREDICTION: Final = (Tensor.LOGITS, Tensor.IMAGE_FEATURE)
CUT_ERRORS: Final[tuple[type[Exception], ...]] = (*RUNTIME_ERRORS, KeyError, ValueError)
FUSION_INPUTS: Final = (
    *MEMORY_NAMES,
    Tensor.TOKENS,
    Tensor.TEXT_PRESENT,
    Tensor.VALUES,
    Tensor.VALUE_PRESENT,
    Tensor.VALUE_AGE,
)


class Part:
    """Some outputs of a checkpoint's graph from some of its tensors, on the CPU of this process."""

    def __init__(self, model_path: Path, inputs: Sequence[str], outputs: Sequence[str], *, threads: int = 1) -> None:
        """Cut and load the part.

        Raises:
            BackendError: it is not a graph this ONNX Runtime can run, or not one of the contract.
        """
        self.inputs, self.outputs = tuple(inputs), tuple(outputs)
        try:
            graph = Extractor(onnx.load(model_path)).extract_model(list(inputs), list(outputs))
            self.session = onnxruntime.InferenceSession(
                graph.SerializeToString(), session_options(threads), providers=["CPUExecutionProvider"]
            )
        except CUT_ERRORS as error:
            raise BackendError(f"{model_path} cannot be cut to {', '.join(outputs)}: export it again") from error

    def run(self, arrays: Arrays, outputs: Sequence[str] | None = None) -> dict[str, Array]:
        """Run the part once on arrays as they are.

        Raises:
            BackendError: it failed.
        """
        wanted = list(outputs or self.outputs)
        try:
            found = self.session.run(wanted, {name: arrays[name] for name in self.inputs})
        except RUNTIME_ERRORS as error:
            raise BackendError("ONNX Runtime failed while it ran a part of the model: see its log") from error
        return dict(zip(wanted, found, strict=True))


class CutGraph:
    """The nodes behind some outputs, as a `Backend` that takes whole cases; only these outputs are there."""

    def __init__(self, model_path: Path, outputs: Sequence[str] = ANSWER, *, threads: int = 1) -> None:
        """Cut and load the graph.

        Raises:
            BackendError: it is not a graph this ONNX Runtime can run.
        """
        self.part = Part(model_path, list(INPUT_SHAPES), outputs, threads=threads)

    def run(self, arrays: Arrays, outputs: Sequence[str] | None = None) -> dict[str, Array]:
        """Run the graph on B patients; see `Backend.run`."""
        return join_pieces([self.part.run(piece, outputs) for piece in in_pieces(arrays)])

    def healthy(self) -> bool:
        """Say whether the graph answers now."""
        return passes_canary(self)

    def close(self) -> None:
        """Do nothing: the session goes with this object."""
