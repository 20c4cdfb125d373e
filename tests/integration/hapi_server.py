"""A real HAPI FHIR server (`../shared/hapi`, Java 17) for one test session."""

from __future__ import annotations

import select
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

JAR = Path(__file__).parents[3] / "shared" / "hapi" / "hapi.jar"
START_S = 120.0
FLAGS = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


def why_not() -> str:
    """Return why HAPI cannot be started here, or an empty string."""
    if not JAR.is_file():
        return f"no HAPI FHIR server: {JAR} is missing"
    return "" if shutil.which("java") else "no HAPI FHIR server: Java 17 is not installed"


@contextmanager
def hapi_server(log: Path, *options: str) -> Iterator[str]:
    """Start HAPI on a free port, with more options of its README, and yield its base URL; its log goes to a file."""
    with log.open("wb") as errors:
        process = subprocess.Popen(
            ["java", *FLAGS, "-jar", str(JAR), "--port", "0", "--stop-with-stdin", *options],
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
