"""The graph on a Triton Inference Server, over gRPC."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import Any, Final

import numpy as np

from inference.backends.protocol import (
    Array,
    Arrays,
    BackendError,
    BackendMismatch,
    BackendUnavailable,
    in_pieces,
    join_pieces,
    passes_canary,
)
from inference.backends.triton_config import DIGEST, MODEL_NAME
from inference.contract import ANSWER_NAMES

try:
    import tritonclient.grpc as triton
    from tritonclient.utils import InferenceServerException, np_to_triton_dtype
except ImportError as error:
    raise BackendError("the Triton client is not installed: pip install 'mllm-cds[production]'") from error

REMEDIES: Final = {
    "StatusCode.DEADLINE_EXCEEDED": "did not answer in time: look at its queue, or allow it more time",
    "StatusCode.UNAVAILABLE": "cannot be reached or is overloaded: check that it runs and that the address is right",
    "StatusCode.NOT_FOUND": f"has no model `{MODEL_NAME}`: load the model repository of this checkpoint",
}
# Triton does not restart a dead Python stub, and still calls itself ready.
OTHER_REMEDY: Final = "failed while it ran the model: see its log, then restart it or unload and load the model"
CHANNEL: Final = (
    # 64 films are more than the 4 MB that gRPC lets through by itself.
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # gRPC would wait up to two minutes before it tries a server again that has been restarted.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # Despite its name, this is how long one attempt to connect may take.
    ("grpc.min_reconnect_backoff_ms", 5000),
)


class TritonBackend:
    """A model on Triton; safe to use from several threads.

    All tensors are sent, also those of absent modalities: Triton batches only requests with the same inputs.
    """

    def __init__(self, url: str, digest: str, *, timeout_s: float) -> None:
        """Prepare to ask `host:port` or `grpcs://host:port`; no connection is made yet.

        Args:
            url: address of Triton's gRPC service.
            digest: SHA-256 of the graph that must answer, hexadecimal.
            timeout_s: seconds one question may take.
        """
        self.url, self.digest, self.timeout_s = url, digest, timeout_s
        self.idle: SimpleQueue[Any] = SimpleQueue()

    @contextmanager
    def client(self) -> Iterator[Any]:
        """Lend a client to one question: tritonclient's objects are not safe to share between threads."""
        try:
            client = self.idle.get_nowait()
        except Empty:
            scheme, _, address = self.url.rpartition("://")
            client = triton.InferenceServerClient(address, ssl=scheme == "grpcs", channel_args=list(CHANNEL))
        try:
            yield client
        finally:
            self.idle.put(client)

    def run(self, arrays: Arrays, outputs: Sequence[str] = ANSWER_NAMES) -> dict[str, Array]:
        """Run the graph on B patients; see `Backend.run`.

        Raises:
            BackendUnavailable: Triton is down, too busy, too late, or its model has failed.
            BackendMismatch: Triton runs another graph than this checkpoint's.
        """
        return join_pieces([self.run_piece(piece, outputs) for piece in in_pieces(arrays)])

    def run_piece(self, arrays: Arrays, outputs: Sequence[str]) -> dict[str, Array]:
        """Run the graph once."""
        inputs = []
        for name, array in arrays.items():
            tensor = triton.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
            tensor.set_data_from_numpy(array)
            inputs.append(tensor)
        wanted = [triton.InferRequestedOutput(name) for name in (*outputs, DIGEST)]
        try:
            with self.client() as client:
                answer = client.infer(MODEL_NAME, inputs, outputs=wanted, client_timeout=self.timeout_s)
        except InferenceServerException as error:
            raise self.translate(error.status()) from error
        self.check_digest(answer.as_numpy(DIGEST))
        return {name: answer.as_numpy(name) for name in outputs}

    def translate(self, status: str | None) -> BackendError:
        """Turn a gRPC status into what a caller can do about it."""
        if status == "StatusCode.INVALID_ARGUMENT":
            return BackendMismatch(f"the model of Triton at {self.url} takes other tensors: load this checkpoint there")
        return BackendUnavailable(f"Triton at {self.url} {REMEDIES.get(status or '', OTHER_REMEDY)}")

    def check_digest(self, found: Array) -> None:
        """Refuse the answer of another graph: predictions name the graph they came from."""
        if np.unique(found, axis=0).tobytes().hex() != self.digest:
            raise BackendMismatch(f"Triton at {self.url} runs another graph than this checkpoint: load this one there")

    def healthy(self) -> bool:
        """Say whether the graph answers now."""
        return passes_canary(self)

    def close(self) -> None:
        """Close the connections."""
        with suppress(Empty):
            while True:
                self.idle.get_nowait().close()
