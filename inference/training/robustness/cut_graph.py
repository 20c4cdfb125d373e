"""The graph that serves, without what only the explanation needs.

ONNX Runtime computes every node of a graph, whichever outputs are asked for, and the relevance costs three quarters
of the time. The nodes behind the answer are taken out of the same file, unchanged, so the figures are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import onnx
import onnxruntime
from onnx.utils import Extractor

from inference.backends.onnx import RUNTIME_ERRORS, session_options
from inference.backends.protocol import Array, Arrays, BackendError, in_pieces, join_pieces, passes_canary
from inference.checkpoint import Checkpoint
from inference.contract import INPUT_SHAPES, Tensor

ANSWER: Final = (Tensor.LOGITS, Tensor.IMAGE_FEATURE)


class CutGraph:
    """The answer and the pooled image feature of a checkpoint's graph, on the CPU of this process."""

    def __init__(self, checkpoint: Checkpoint, *, threads: int = 1) -> None:
        """Cut and load the graph.

        Raises:
            BackendError: it is not a graph this ONNX Runtime can run.
        """
        graph = Extractor(onnx.load(checkpoint.model_path)).extract_model(list(INPUT_SHAPES), list(ANSWER))
        try:
            self.session = onnxruntime.InferenceSession(
                graph.SerializeToString(), session_options(threads), providers=["CPUExecutionProvider"]
            )
        except RUNTIME_ERRORS as error:
            raise BackendError(f"{checkpoint.model_path} cannot be cut down to its answer: export it again") from error

    def run(self, arrays: Arrays, outputs: Sequence[str] = ANSWER) -> dict[str, Array]:
        """Run the graph on B patients; see `Backend.run`. Only the outputs of `ANSWER` are there."""
        pieces = [
            dict(zip(outputs, self.session.run(list(outputs), dict(piece)), strict=True)) for piece in in_pieces(arrays)
        ]
        return join_pieces(pieces)

    def healthy(self) -> bool:
        """Say whether the graph answers now."""
        return passes_canary(self)

    def close(self) -> None:
        """Do nothing: the session goes with this object."""
