from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from inference.backends import Backend, BackendMismatch, BackendUnavailable, open_backend
from inference.backends.protocol import Array, Arrays, canary
from inference.backends.triton_config import GIVEN_TOGETHER, MODEL_NAME, write_repository
from inference.checkpoint import SHIPPED, Checkpoint
from inference.contract import OUTPUT_NAMES, Tensor
from tests.inference.batches import random_batch
from tests.inference.tiny_checkpoint import make_checkpoint
from tests.integration.triton_server import ROOT, RunningTriton, TritonAbsent, running_triton, site_packages

pytestmark = pytest.mark.triton

CANARY = ROOT / "docker/triton/canary.py"
QUEUE_DELAY_US = 100_000
"""Long enough for requests that are sent together to meet in the queue of a busy machine."""


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """The shipped checkpoint; a tiny one as long as none is shipped."""
    if (SHIPPED / "config.json").is_file():
        return Checkpoint.load()
    return make_checkpoint(tmp_path_factory.mktemp("tiny"))


def start(checkpoint: Checkpoint, folder: Path) -> AbstractContextManager[RunningTriton]:
    """Start Triton with a checkpoint, or skip where there is none to start."""
    try:
        site_packages()
    except TritonAbsent as reason:
        pytest.skip(str(reason))
    write_repository(checkpoint, folder / "repository", queue_delay_us=QUEUE_DELAY_US)
    return running_triton(folder / "repository", folder)


@pytest.fixture(scope="module")
def server(checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTriton]:
    """One server for the tests that leave it alive."""
    with start(checkpoint, tmp_path_factory.mktemp("triton")) as running:
        yield running


@pytest.fixture(scope="module")
def served(checkpoint: Checkpoint, server: RunningTriton) -> Iterator[Backend]:
    """The graph on Triton."""
    backend = open_backend(checkpoint, server.url, timeout_s=60)
    yield backend
    backend.close()


@pytest.fixture(scope="module")
def local(checkpoint: Checkpoint) -> Backend:
    """The same graph in this process."""
    return open_backend(checkpoint, triton_url=None)


def ask(server: RunningTriton, arrays: Arrays, outputs: tuple[str, ...]) -> triton.InferResult:
    """Send what another client than ours might send."""
    inputs = []
    for name, array in arrays.items():
        inputs.append(triton.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype)))
        inputs[-1].set_data_from_numpy(array)
    with triton.InferenceServerClient(server.url) as client:
        wanted = [triton.InferRequestedOutput(name) for name in outputs]
        return client.infer(MODEL_NAME, inputs, outputs=wanted, client_timeout=60)


def assert_close(found: Array, expected: Array) -> None:
    """Compare answers; the two versions of ONNX Runtime may round differently."""
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("patients", [1, 5])
@pytest.mark.parametrize("name", OUTPUT_NAMES)
def test_triton_answers_and_explains_as_the_process_does(
    served: Backend, local: Backend, patients: int, name: str
) -> None:
    """Logits, relevance and effects are the same wherever the graph runs."""
    batch = random_batch(patients, seed=patients)

    assert_close(served.run(batch, [name])[name], local.run(batch, [name])[name])


def test_patients_asked_about_together_do_not_mix(served: Backend, local: Backend) -> None:
    """Of many requests at once, each gets the answer to its own patient."""
    batch = random_batch(24, seed=3)
    alone = [{name: array[index : index + 1] for name, array in batch.items()} for index in range(24)]
    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(served.run, alone))

    expected = local.run(batch)
    for name in (Tensor.LOGITS, Tensor.IMAGE_RELEVANCE, Tensor.TEXT_EFFECT):
        assert_close(np.concatenate([answer[name] for answer in answers]), expected[name])


def test_waiting_requests_share_a_run(served: Backend, server: RunningTriton) -> None:
    """Dynamic batching really forms batches: fewer runs of the graph than patients."""
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(served.run, [canary()] * 32))
    with triton.InferenceServerClient(server.url) as client:
        found = client.get_inference_statistics(MODEL_NAME).model_stats[0]

    assert found.execution_count < found.inference_count
    assert max(batch.batch_size for batch in found.batch_stats) > 1


@pytest.mark.parametrize("group", GIVEN_TOGETHER)
def test_modality_left_out_equals_modality_absent(
    server: RunningTriton, local: Backend, group: tuple[str, ...]
) -> None:
    """A client may send nothing for an absent modality; the answer is that of presence 0."""
    batch = random_batch(2, seed=9)
    absent = {name: np.zeros_like(array) if name in group else array for name, array in batch.items()}
    sent = {name: array for name, array in batch.items() if name not in group}

    answer = ask(server, sent, (Tensor.LOGITS,)).as_numpy(Tensor.LOGITS)
    assert_close(answer, local.run(absent)[Tensor.LOGITS])


@pytest.mark.parametrize("name", [name for group in GIVEN_TOGETHER for name in group])
def test_half_a_modality_is_refused(server: RunningTriton, name: str) -> None:
    """An image without its presence flag would count as absent in silence, so it is an error."""
    sent = {other: array for other, array in canary().items() if other != name}

    with pytest.raises(InferenceServerException, match="give all of"):
        ask(server, sent, (Tensor.LOGITS,))


def test_only_what_is_asked_for_is_sent(server: RunningTriton) -> None:
    """The logits alone are a few bytes, not a map for each word and patch."""
    response = ask(server, canary(), (Tensor.LOGITS,)).get_response()

    assert [output.name for output in response.outputs] == [Tensor.LOGITS]


def test_other_checkpoint_than_the_one_on_the_server_is_refused(server: RunningTriton, tmp_path: Path) -> None:
    """The digest in a prediction is that of the graph that answered, so another graph may not answer."""
    backend = open_backend(make_checkpoint(tmp_path, seed=5), server.url, timeout_s=60)

    with pytest.raises(BackendMismatch, match="another graph"):
        backend.run(canary())
    backend.close()


def check_health(*arguments: str) -> int:
    """Run the health check of the container and return its exit status."""
    return subprocess.run([sys.executable, CANARY, *arguments], check=False).returncode


def kill_model(server: RunningTriton) -> None:
    """Do to the model's process what the kernel does when memory runs out."""
    for pid in server.stub_pids():
        os.kill(pid, signal.SIGKILL)


def test_model_that_died_is_unhealthy_though_the_server_calls_itself_ready(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    """Only an answer proves health: Triton stays "ready" when the process of its model is dead."""
    with start(checkpoint, tmp_path) as server:
        backend = open_backend(checkpoint, server.url, timeout_s=60)
        kill_model(server)
        with pytest.raises(BackendUnavailable, match="unload and load the model"):
            backend.run(canary())

        with triton.InferenceServerClient(server.url) as client:
            assert client.is_model_ready(MODEL_NAME)
        assert not backend.healthy()
        backend.close()


def test_container_check_passes_while_the_model_answers(server: RunningTriton) -> None:
    """The health check of the image asks a real question, and leaves a healthy server alone."""
    assert check_health(server.http_url, str(server.process.pid)) == 0
    assert server.process.poll() is None


def test_container_check_ends_a_server_whose_model_died(checkpoint: Checkpoint, tmp_path: Path) -> None:
    """Triton never starts a dead model again, so the check ends the server and the container runtime starts it."""
    with start(checkpoint, tmp_path) as server:
        kill_model(server)

        # As the container runtime does: a check that comes while Triton still looks for its model says nothing yet.
        assert {check_health(server.http_url, str(server.process.pid)) for _ in range(3)} == {1}
        server.process.wait(timeout=60)


def test_server_that_went_away_is_unavailable(checkpoint: Checkpoint, tmp_path: Path) -> None:
    """A server that stops in the middle of the day is an error a caller can wait out, not a hang."""
    with start(checkpoint, tmp_path) as server:
        backend = open_backend(checkpoint, server.url, timeout_s=10)
        assert backend.healthy()

    with pytest.raises(BackendUnavailable, match=r"cannot be reached|did not answer"):
        backend.run(canary())
    backend.close()
