"""Sample patients -> a FHIR server by one transaction, and a DICOMweb server by STOW-RS (DICOM PS3.18, 10.5)."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime

import httpx
from pydicom import Dataset
from rich.console import Console

from cds_hooks.commands.stopping import fail
from cds_hooks.commands.transactions import TransactionRefused, send_transaction
from cds_hooks.sandbox.films import FilmMissing, as_file
from cds_hooks.sandbox.patients import sample_patients

TIMEOUT_S = 120.0


def seed_servers(fhir: str, dicomweb: str, *, wait_s: float = 0.0, token: str = "") -> None:
    """Send the sample patients to both servers, films first so that no study points to nothing.

    The token goes to the FHIR server alone.

    Raises:
        typer.Exit: a server refused or did not answer; said on stderr.
    """
    try:
        samples = sample_patients(datetime.now(UTC), dicomweb.rstrip("/"))
        with httpx.Client(timeout=TIMEOUT_S) as http:
            _wait(http, (f"{fhir.rstrip('/')}/metadata", f"{dicomweb.rstrip('/')}/studies?limit=1"), wait_s)
            store_instances(http, dicomweb, samples.instances)
            send_transaction(http, fhir, samples.bundle, token)
    except (SeedRefused, TransactionRefused, FilmMissing) as error:
        raise fail(str(error)) from None
    except httpx.HTTPError as error:
        raise fail(f"no answer ({type(error).__name__}): check that both addresses are right and served") from None
    count = len(samples.bundle["entry"])
    Console().print(f"Seeded {count} FHIR resources and {len(samples.instances)} films.", highlight=False)


class SeedRefused(Exception):
    """A server did not take the films."""


def store_instances(http: httpx.Client, dicomweb: str, instances: Iterable[Dataset]) -> None:
    """Store DICOM instances by STOW-RS in one request.

    Raises:
        SeedRefused: the server answered an error.
        httpx.HTTPError: it did not answer.
    """
    boundary = uuid.uuid4().hex
    parts = [
        f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode() + as_file(instance) + b"\r\n"
        for instance in instances
    ]
    response = http.post(
        f"{dicomweb.rstrip('/')}/studies",
        content=b"".join(parts) + f"--{boundary}--\r\n".encode(),
        headers={
            "Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}',
            "Accept": "application/dicom+json",
        },
    )
    # 202: stored with warnings, such as coerced attributes.
    if response.status_code not in (200, 202):
        raise SeedRefused(f"the DICOMweb server refused the films with HTTP {response.status_code}")


def _wait(http: httpx.Client, addresses: Iterable[str], seconds: float) -> None:
    """Wait until every address answers without an error, at most so long; what is wrong then shows in the next step."""
    end = time.monotonic() + seconds
    for address in addresses:
        while time.monotonic() < end and not _answers(http, address):
            time.sleep(1.0)


def _answers(http: httpx.Client, address: str) -> bool:
    """Tell whether an address answers; a server that asks for a token is there."""
    try:
        response = http.get(address)
    except httpx.TransportError:
        return False
    return response.is_success or response.status_code == httpx.codes.UNAUTHORIZED
