from __future__ import annotations

import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from inference.backends import BackendMismatch, BackendUnavailable, open_backend
from inference.backends.protocol import canary
from inference.backends.triton import TritonBackend
from inference.checkpoint import Checkpoint


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed_port(deaf_port: int) -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_server_that_is_not_there_is_unavailable(tiny: Checkpoint, closed_port: int) -> None:
    """A refused connection is "unavailable" with the address and what to do."""
    backend = open_backend(tiny, f"127.0.0.1:{closed_port}", timeout_s=2)

    with pytest.raises(BackendUnavailable, match=rf"127\.0\.0\.1:{closed_port} cannot be reached"):
        backend.run(canary())
    backend.close()


def test_server_that_never_answers_is_unavailable_after_the_time_out(tiny: Checkpoint, deaf_port: int) -> None:
    """A server that hangs costs no more than the time allowed."""
    backend = open_backend(tiny, f"127.0.0.1:{deaf_port}", timeout_s=0.2)

    with pytest.raises(BackendUnavailable, match="did not answer in time"):
        backend.run(canary())
    assert not backend.healthy()
    backend.close()


@pytest.mark.parametrize(
    ("status", "kind", "remedy"),
    [
        ("StatusCode.DEADLINE_EXCEEDED", BackendUnavailable, "did not answer in time"),
        ("StatusCode.UNAVAILABLE", BackendUnavailable, "cannot be reached or is overloaded"),
        ("StatusCode.NOT_FOUND", BackendUnavailable, "has no model `mllm`"),
        ("StatusCode.INTERNAL", BackendUnavailable, "restart it or unload and load the model"),
        (None, BackendUnavailable, "restart it or unload and load the model"),
        ("StatusCode.INVALID_ARGUMENT", BackendMismatch, "takes other tensors"),
    ],
)
def test_each_failure_says_what_to_do(status: str | None, kind: type[Exception], remedy: str) -> None:
    """Each gRPC status becomes the error and the remedy that fit it."""
    error = TritonBackend("triton:8001", "", timeout_s=1).translate(status)

    assert type(error) is kind
    assert remedy in str(error)


@pytest.mark.parametrize(
    ("url", "address", "secured"),
    [("triton:8001", "triton:8001", False), ("grpc://t:1", "t:1", False), ("grpcs://t:1", "t:1", True)],
)
def test_address_may_ask_for_tls(monkeypatch: pytest.MonkeyPatch, url: str, address: str, *, secured: bool) -> None:
    """`grpcs://` encrypts the connection, a bare address does not."""
    asked: list[Any] = []

    def record(url: str, *, ssl: bool, channel_args: list[object]) -> SimpleNamespace:
        asked.append((url, ssl))
        return SimpleNamespace(close=lambda: None)

    monkeypatch.setattr("inference.backends.triton.triton.InferenceServerClient", record)
    with TritonBackend(url, "", timeout_s=1).client():
        assert asked == [(address, secured)]


def test_client_is_lent_to_one_question_at_a_time() -> None:
    """Two questions at once never share a client, two in a row do."""
    backend = TritonBackend("triton:8001", "", timeout_s=1)
    with backend.client() as first, backend.client() as second:
        assert first is not second
    with backend.client() as third:
        assert third in {first, second}
    backend.close()


@pytest.mark.parametrize("rows", [[b"\x02" * 32], [b"\x01" * 32, b"\x02" * 32]])
def test_answer_of_another_graph_is_refused(rows: list[bytes]) -> None:
    """A prediction never carries the digest of a graph that did not make it, not for a single row."""
    backend = TritonBackend("triton:8001", "01" * 32, timeout_s=1)

    with pytest.raises(BackendMismatch, match="runs another graph"):
        backend.check_digest(np.array([list(row) for row in rows], np.uint8))
