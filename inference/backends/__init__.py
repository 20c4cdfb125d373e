"""Ways of running the graph: in this process by ONNX Runtime, or on a Triton Inference Server."""

from __future__ import annotations

from inference.backends.onnx import OnnxBackend
from inference.backends.protocol import Backend, BackendError, BackendMismatch, BackendUnavailable
from inference.checkpoint import Checkpoint

__all__ = ["Backend", "BackendError", "BackendMismatch", "BackendUnavailable", "open_backend"]

TRITON_TIMEOUT_S = 5.0


def open_backend(
    checkpoint: Checkpoint, triton_url: str | None, threads: int = 1, timeout_s: float = TRITON_TIMEOUT_S
) -> Backend:
    """Open the backend that the settings ask for.

    Args:
        checkpoint: whose graph is to run.
        triton_url: `host:port` of Triton's gRPC service, `grpcs://host:port` for TLS; None runs in this process.
        threads: CPU threads of one run in this process.
        timeout_s: seconds one question to Triton may take.

    Raises:
        BackendError: the graph cannot be loaded, or the Triton client is not installed.
    """
    if triton_url is None:
        return OnnxBackend(checkpoint.model_path, threads=threads)
    from inference.backends.triton import TritonBackend  # noqa: PLC0415 - only who uses Triton needs its client

    return TritonBackend(triton_url, checkpoint.digest, timeout_s=timeout_s)
