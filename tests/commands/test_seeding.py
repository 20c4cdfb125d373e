from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pydicom
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cds_hooks.commands.seeding import SeedRefused, seed_servers, store_instances
from cds_hooks.commands.transactions import TransactionRefused, send_transaction
from cds_hooks.sandbox.patients import Samples, sample_patients
from tests.sandbox.conftest import NOW
from tests.sandbox.films import write_stripes
from tests.sandbox.live import served


class Receiver:
    """A server that keeps what it is sent."""

    def __init__(self) -> None:
        self.bundle: dict[str, Any] = {}
        self.films: list[pydicom.Dataset] = []
        self.tokens: dict[str, str] = {}

    async def transaction(self, request: Request) -> Response:
        """Keep a Bundle."""
        self.tokens["fhir"] = request.headers.get("authorization", "")
        self.bundle = await request.json()
        return JSONResponse({"resourceType": "Bundle", "type": "transaction-response"})

    async def store(self, request: Request) -> Response:
        """Keep the parts of a STOW-RS request."""
        self.tokens["dicomweb"] = request.headers.get("authorization", "")
        boundary = request.headers["content-type"].rpartition("boundary=")[2].encode()
        for part in (await request.body()).split(b"--" + boundary)[1:-1]:
            content = part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")
            self.films.append(pydicom.dcmread(io.BytesIO(content)))
        return JSONResponse({})

    async def refuse(self, _request: Request) -> Response:
        """Take nothing."""
        return JSONResponse({"issue": [{"diagnostics": "Read only."}]}, 405)

    def app(self) -> Starlette:
        """Return both servers, and one that refuses."""
        return Starlette(
            routes=[
                Route("/fhir", self.transaction, methods=["POST"]),
                Route("/dicom-web/studies", self.store, methods=["POST"]),
                Route("/full", self.refuse, methods=["POST"]),
                Route("/full/studies", self.refuse, methods=["POST"]),
            ]
        )


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    films: Path = write_stripes(tmp_path_factory.mktemp("films"))
    return sample_patients(NOW, "http://archive.example/dicom-web", films=films)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def url(receiver: Receiver) -> Iterator[str]:
    with served(receiver.app()) as url:
        yield url


def test_all_patients_go_in_one_transaction(samples: Samples, receiver: Receiver, url: str) -> None:
    """One request carries every resource, so that references between them hold."""
    with httpx.Client() as http:
        send_transaction(http, f"{url}/fhir/", samples.bundle)

    assert samples.bundle == receiver.bundle


def test_films_arrive_as_dicom_files(samples: Samples, receiver: Receiver, url: str) -> None:
    """STOW-RS sends every instance with its preamble, in one request."""
    with httpx.Client() as http:
        store_instances(http, f"{url}/dicom-web", samples.instances)

    assert [one.SOPInstanceUID for one in receiver.films] == [one.SOPInstanceUID for one in samples.instances]


def test_refusal_is_told(samples: Samples, url: str) -> None:
    """A server that takes nothing is an error that names the server's reason."""
    with httpx.Client() as http:
        with pytest.raises(TransactionRefused, match=r"Read only\."):
            send_transaction(http, f"{url}/full", samples.bundle)
        with pytest.raises(SeedRefused, match="HTTP 405"):
            store_instances(http, f"{url}/full", samples.instances)


def test_token_goes_to_the_fhir_server_alone(receiver: Receiver, url: str) -> None:
    """An image archive that is named beside it has no part in the token."""
    seed_servers(f"{url}/fhir", f"{url}/dicom-web", token="abc")

    assert receiver.tokens == {"fhir": "Bearer abc", "dicomweb": ""}
