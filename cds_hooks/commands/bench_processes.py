"""The processes that benchmarks run against: a sandbox, and the service as `mllm-cds serve` runs it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

import httpx
import orjson

from cds_hooks.commands.running import bind

HOST: Final = "127.0.0.1"
START_S: Final = 60.0
ANSWER_WITHIN_S: Final = 10.0
"""Long enough that a slow hook is measured and not cut off."""


class BenchFailed(Exception):
    """The measurement did not come about; the message says why."""


@dataclass(frozen=True, slots=True)
class Servers:
    """Base URLs of what was started."""

    service: str
    fhir: str
    dicomweb: str


@contextmanager
def started_sandbox(*options: str) -> Iterator[tuple[str, str]]:
    """Start the sandbox alone with options of `python -m cds_hooks.sandbox`; yield its FHIR and DICOMweb bases.

    Raises:
        BenchFailed: it does not answer.
    """
    port = free_port()
    fhir, dicomweb = f"http://{HOST}:{port}/fhir", f"http://{HOST}:{port}/dicom-web"
    with _running(["-m", "cds_hooks.sandbox", "--port", str(port), *options], os.environ, f"{fhir}/metadata"):
        yield fhir, dicomweb


@contextmanager
def started_servers(copies: int) -> Iterator[Servers]:
    """Start both processes, wait until they answer, and stop them in the end.

    Args:
        copies: patients with inputs of their own on the FHIR server.

    Raises:
        BenchFailed: one of them does not answer.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="mllm-cds-bench-"))
        fhir, dicomweb = stack.enter_context(started_sandbox("--bench-patients", str(copies)))
        service = free_port()
        servers = Servers(f"http://{HOST}:{service}", fhir, dicomweb)
        serve = ["-m", "cds_hooks.cli", "serve", "--port", str(service)]
        stack.enter_context(_running(serve, service_environment(servers, folder), f"{servers.service}/readyz"))
        yield servers


def service_environment(servers: Servers, folder: str) -> dict[str, str]:
    """Return the environment of a service that stands alone; CDS_CHECKPOINT, CDS_TRITON_URL and threads still count."""
    kept = {key: value for key, value in os.environ.items() if key not in ("CDS_DATABASE_URL", "CDS_BROKER_URL")}
    return kept | {
        "CDS_PUBLIC_URL": servers.service,
        "CDS_STATE_DIR": folder,
        "CDS_ANSWER_WITHIN_S": str(ANSWER_WITHIN_S),
        "CDS_LOG_LEVEL": "WARNING",
        "FHIR_ALLOWED_SERVERS": orjson.dumps([servers.fhir, servers.dicomweb]).decode(),
    }


def free_port() -> int:
    """Return a port that is free now."""
    with bind(HOST, 0) as held:
        port: int = held.getsockname()[1]
        return port


@contextmanager
def _running(arguments: Sequence[str], environment: Mapping[str, str], address: str) -> Iterator[None]:
    """Run a Python process until the context ends; it is ready when the address answers 200."""
    process = subprocess.Popen([sys.executable, *arguments], env=environment, stdout=subprocess.DEVNULL)  # noqa: S603
    try:
        _wait_for(process, address)
        yield
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(process: subprocess.Popen[bytes], address: str) -> None:
    """Wait until an address answers 200.

    Raises:
        BenchFailed: the process ended, or it takes too long.
    """
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise BenchFailed(f"a server ended with status {process.returncode} before it answered")
        try:
            if httpx.get(address, timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise BenchFailed(f"a server did not answer within {START_S:.0f} s")
