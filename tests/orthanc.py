"""The real image archive Orthanc with its DICOMweb plugin, empty, on a free port, stopped by its process."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import orjson

from tests.servers import free_port

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
START_S = 60.0


@dataclass(frozen=True)
class Orthanc:
    """A running archive; `url` is the root of its own REST interface."""

    url: str

    @property
    def dicomweb(self) -> str:
        """Root of its DICOMweb services."""
        return f"{self.url}/dicom-web"

    def stow(self, file: bytes) -> httpx.Response:
        """Store one file by STOW-RS (PS3.18 section 10.5)."""
        body = b"--part\r\nContent-Type: application/dicom\r\n\r\n" + file + b"\r\n--part--\r\n"
        kind = 'multipart/related; type="application/dicom"; boundary=part'
        headers = {"Content-Type": kind, "Accept": "application/dicom+json"}
        return httpx.post(f"{self.dicomweb}/studies", content=body, headers=headers, timeout=30)


def why_no_orthanc() -> str:
    """Return why it cannot be started here, or an empty string."""
    there = shutil.which("Orthanc") is not None and PLUGIN.exists()
    return "" if there else "needs Orthanc: apt-get install orthanc orthanc-dicomweb"


@contextmanager
def orthanc_server(folder: Path) -> Iterator[Orthanc]:
    """Start an empty archive that keeps its files in a folder."""
    port = free_port()
    settings = {
        "StorageDirectory": str(folder / "db"),
        "IndexDirectory": str(folder / "db"),
        "HttpPort": port,
        "DicomServerEnabled": False,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "HttpCompressionEnabled": False,
        "OverwriteInstances": True,
        "Plugins": [str(PLUGIN)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }
    (folder / "orthanc.json").write_bytes(orjson.dumps(settings))
    command = ["Orthanc", str(folder / "orthanc.json")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(f"http://127.0.0.1:{port}/system", process)
        yield Orthanc(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(30)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(url).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise TimeoutError("Orthanc did not become ready")
