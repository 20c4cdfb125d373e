"""The graph in this process, by ONNX Runtime: on the GPU where the installed runtime has one, else on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as runtime_state

from inference.backends.protocol import Array, Arrays, BackendError, in_pieces, join_pieces, passes_canary
from inference.contract import ANSWER_NAMES, INPUT_SHAPES, OUTPUT_NAMES

PROVIDERS: Final = ("CUDAExecutionProvider", "CPUExecutionProvider")
# ONNX Runtime's errors have no common base class below Exception.
RUNTIME_ERRORS: Final[tuple[type[Exception], ...]] = tuple(
    kind for kind in vars(runtime_state).values() if isinstance(kind, type) and issubclass(kind, Exception)
)


def session_options(threads: int) -> onnxruntime.SessionOptions:
    """Return options for a process that shares its cores with others."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    # A thread that spins while it waits takes the core that another process needs: 3 to 10 times slower on a busy host.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return options


class OnnxBackend:
    """ONNX Runtime in process; safe to use from several threads."""

    def __init__(self, model: Path, *, threads: int = 1) -> None:
        """Load a graph.

        Raises:
            BackendError: it is not a graph this ONNX Runtime can run, or not one of the contract.
        """
        available = onnxruntime.get_available_providers()
        providers = [provider for provider in PROVIDERS if provider in available]
        try:
            self.session = onnxruntime.InferenceSession(model, session_options(threads), providers=providers)
        except RUNTIME_ERRORS as error:
            raise BackendError(
                f"ONNX Runtime {onnxruntime.__version__} cannot load {model}: export it again, or upgrade onnxruntime"
            ) from error
        names = {tensor.name for tensor in (*self.session.get_inputs(), *self.session.get_outputs())}
        if names != {*INPUT_SHAPES, *OUTPUT_NAMES}:
            raise BackendError(f"{model} has other inputs or outputs than inference/contract.py: export it again")

    def run(self, arrays: Arrays, outputs: Sequence[str] = ANSWER_NAMES) -> dict[str, Array]:
        """Run the graph on B patients; see `Backend.run`."""
        return join_pieces([self.run_piece(piece, outputs) for piece in in_pieces(arrays)])

    def run_piece(self, arrays: Arrays, outputs: Sequence[str]) -> dict[str, Array]:
        """Run the graph once."""
        try:
            found = self.session.run(list(outputs), dict(arrays))
        except RUNTIME_ERRORS as error:
            raise BackendError("ONNX Runtime failed while it ran the model: see its log, then restart") from error
        return dict(zip(outputs, found, strict=True))

    def healthy(self) -> bool:
        """Say whether the graph answers now."""
        return passes_canary(self)

    def close(self) -> None:
        """Do nothing: the session goes with this object."""
