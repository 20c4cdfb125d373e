"""A real HAPI FHIR server for tests: the one at HAPI_BASE_URL, or HAPI_JAR (Java 17), or the public container."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import httpx

DEFAULT_JAR = Path(__file__).parents[3] / "shared" / "hapi" / "hapi.jar"
IMAGE = "hapiproject/hapi:v8.8.0-1"
START_S = 120.0
PULL_S = 600.0
FLAGS = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
CONTAINER_SETTINGS = {
    "hapi.fhir.fhir_version": "R4",
    "hapi.fhir.client_id_strategy": "ANY",
    "hapi.fhir.max_page_size": "200",
    "hapi.fhir.allow_external_references": "true",
    "hapi.fhir.enforce_referential_integrity_on_write": "false",
}
"""What makes the public container answer as hapi.jar does without options."""


def given_url() -> str:
    """Return the base address of a server that runs already, or an empty string."""
    return os.environ.get("HAPI_BASE_URL", "").rstrip("/")


def jar() -> Path:
    """Return where the server's jar should be."""
    return Path(os.environ.get("HAPI_JAR") or DEFAULT_JAR)


def why_not(*options: str) -> str:
    """Return why HAPI cannot be had here with these options of hapi.jar, or an empty string."""
    if given_url():
        return f"needs a HAPI FHIR server of its own with {' '.join(options)}" if options else ""
    if jar().is_file() and shutil.which("java"):
        return ""
    missing = "Java 17 is not installed" if jar().is_file() else f"{jar()} is missing"
    if options:
        return f"no HAPI FHIR server with {' '.join(options)}: {missing}"
    return "" if _engine() else f"no HAPI FHIR server: {missing}, HAPI_BASE_URL is not set, no docker or podman runs"


@contextmanager
def hapi_server(log: Path, *options: str) -> Iterator[str]:
    """Yield the base address of a server, started on a free port if need be; its log goes to a file.

    Tests that need no options share one server for the whole session: the fixture `hapi_base`.
    """
    if reason := why_not(*options):
        raise RuntimeError(reason)
    if given_url():
        yield given_url()
    elif jar().is_file():
        with _from_jar(log, *options) as base:
            yield base
    else:
        with _from_container() as base:
            yield base


@contextmanager
def _from_jar(log: Path, *options: str) -> Iterator[str]:
    with log.open("wb") as errors:
        process = subprocess.Popen(
            ["java", *FLAGS, "-jar", str(jar()), "--port", "0", "--stop-with-stdin", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        try:
            yield _base_url(process, log)
        finally:
            process.terminate()
            process.communicate(timeout=30)


def _base_url(process: subprocess.Popen[bytes], log: Path) -> str:
    """Return the address of the READY line."""
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], START_S)
    words = process.stdout.readline().decode().split() if ready else []
    assert words[:1] == ["READY"], f"HAPI did not start; the end of its log: {log.read_text()[-2000:]}"
    return words[1]


@cache
def _engine() -> str:
    """Return the container engine that runs here, or an empty string."""
    for name in ("docker", "podman"):
        if shutil.which(name) and _succeeds([name, "info"]):
            return name
    return ""


def _succeeds(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=10).returncode == 0
    except subprocess.TimeoutExpired:
        return False


@contextmanager
def _from_container() -> Iterator[str]:
    settings = [word for name, value in CONTAINER_SETTINGS.items() for word in ("-e", f"{name}={value}")]
    run = [_engine(), "run", "--detach", "--rm", "--publish", "127.0.0.1::8080", *settings, IMAGE]
    name = subprocess.run(run, check=True, capture_output=True, text=True, timeout=PULL_S).stdout.strip()
    try:
        where = subprocess.run([_engine(), "port", name, "8080"], check=True, capture_output=True, text=True).stdout
        base = f"http://{where.split()[0]}/fhir"
        _wait(f"{base}/metadata")
        yield base
    finally:
        subprocess.run([_engine(), "rm", "--force", name], check=True, capture_output=True)


def _wait(url: str) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        try:
            if httpx.get(url, timeout=10).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.5)
    raise TimeoutError("the HAPI container did not become ready")
