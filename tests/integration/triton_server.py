"""A real Triton Inference Server out of `.venv-triton`, on free ports, stopped by its process id.

`tests/integration/make_triton_env.sh` makes that environment from PyPI. The server there is the release 2.51.0 with the
Python backend alone; four traps of it are handled here, each where it is met.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[2]
VENV = ROOT / ".venv-triton"
START_S = 120
STOP_S = 20


class TritonAbsent(RuntimeError):
    """There is no Triton to start; the message says how to get one."""


@dataclass(frozen=True, slots=True)
class RunningTriton:
    """A server that is up: the addresses of its gRPC and HTTP services, and its process."""

    url: str
    http_url: str
    process: subprocess.Popen[str]

    def stub_pids(self) -> list[int]:
        """Return the processes that run model.py."""
        children = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return [int(pid) for file in children for pid in file.read_text().split() if is_stub(pid)]


def is_stub(pid: str) -> bool:
    """Say whether a process is Triton's Python stub."""
    return "triton_python_backend_stub" in Path(f"/proc/{pid}/cmdline").read_text()


def site_packages() -> Path:
    """Return the packages of the environment.

    Raises:
        TritonAbsent: it has not been made, or is not whole.
    """
    found = [path for path in VENV.glob("lib/python3.*/site-packages") if (path / "pytriton/tritonserver").is_dir()]
    if not found or not (VENV / "made-from").is_file():
        raise TritonAbsent("no .venv-triton: run tests/integration/make_triton_env.sh")
    return found[0]


def free_ports(count: int) -> list[int]:
    """Return ports of 127.0.0.1 that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in sockets]
    for server in sockets:
        server.close()
    return ports


def library_path(packages: Path) -> str:
    """Return LD_LIBRARY_PATH for server and stub.

    The stub loses its relative search path when it is copied; and it must find the libpython of its own interpreter
    before the system's, or the two standard libraries get mixed.
    """
    question = "import sysconfig; print(sysconfig.get_config_var('LIBDIR'))"
    own = subprocess.run([VENV / "bin/python", "-c", question], capture_output=True, text=True, check=True)
    return f"{own.stdout.strip()}:{packages / 'nvidia_pytriton.libs'}"


def place_backend(packages: Path, folder: Path) -> Path:
    """Copy the Python backend with the stub for this Python, where the server looks for it."""
    server = packages / "pytriton/tritonserver"
    target = folder / "backends"
    shutil.copytree(server / "backends/python", target / "python")
    version = packages.parent.name.removeprefix("python")
    shutil.copy(server / f"python_backend_stubs/{version}/triton_python_backend_stub", target / "python")
    return target


def command(packages: Path, repository: Path, folder: Path, region: str, ports: dict[str, int]) -> list[str]:
    """Return the command line."""
    addresses = [
        option for name, port in ports.items() for option in (f"--{name}-address=127.0.0.1", f"--{name}-port={port}")
    ]
    return [
        str(packages / "pytriton/tritonserver/bin/tritonserver"),
        f"--model-repository={repository}",
        f"--backend-directory={place_backend(packages, folder)}",
        *addresses,
        # Containers often have 64 MB of /dev/shm; and a killed server leaves its regions behind, found by this prefix.
        "--backend-config=python,shm-default-byte-size=4194304",
        f"--backend-config=python,shm-region-prefix-name={region}",
        # With a dead stub the server would wait 30 seconds for it.
        "--exit-timeout-secs=3",
    ]


def watch(log: IO[str], lines: list[str], ready: threading.Event) -> None:
    """Read the log to its end, so that the server never blocks on a full pipe."""
    for line in log:
        lines.append(line)
        if "Started GRPCInferenceService" in line:
            ready.set()
    ready.set()


@contextmanager
def running_triton(repository: Path, folder: Path) -> Iterator[RunningTriton]:
    """Start Triton on a model repository and stop it; `folder` is for its own files.

    Raises:
        TritonAbsent: the environment has not been made.
    """
    packages = site_packages()
    region = f"mllm_test_{uuid.uuid4().hex}"
    ports = dict(zip(("http", "grpc", "metrics"), free_ports(3), strict=True))
    environment = {"PATH": f"{VENV / 'bin'}:{os.environ['PATH']}", "LD_LIBRARY_PATH": library_path(packages)}
    process = subprocess.Popen(
        command(packages, repository, folder, region, ports),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        wait_until_ready(process)
        yield RunningTriton(f"127.0.0.1:{ports['grpc']}", f"http://127.0.0.1:{ports['http']}", process)
    finally:
        stop(process, region)


def wait_until_ready(process: subprocess.Popen[str]) -> None:
    """Wait for the gRPC service, which starts when the models are loaded."""
    lines: list[str] = []
    ready = threading.Event()
    assert process.stdout is not None
    threading.Thread(target=watch, args=(process.stdout, lines, ready), daemon=True).start()
    if not ready.wait(START_S) or process.poll() is not None:
        raise RuntimeError(f"Triton did not start:\n{''.join(lines[-40:])}")


def stop(process: subprocess.Popen[str], region: str) -> None:
    """Stop the server; a stub that outlives it is in its session and goes too."""
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdout is not None:
        process.stdout.close()
    for left in Path("/dev/shm").glob(f"{region}*"):
        left.unlink()
