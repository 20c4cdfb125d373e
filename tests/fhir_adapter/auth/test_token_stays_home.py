"""The token goes to the origin it is for: whatever points elsewhere is not followed, or is followed without it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

import httpx
import pytest
from pydantic import SecretStr

from fhir_adapter.errors import FhirError
from fhir_adapter.rest.bundles import read_page
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.requests import Request
from tests.fhir_adapter.builders import (
    ARCHIVE,
    SERVER,
    answer,
    bundle,
    observation,
    settings,
    soon,
)

TOKEN = SecretStr("secret-abc")
ELSEWHERE = [
    "https://evil.example.org/fhir",
    "http://ehr.example.org/fhir",
    "https://ehr.example.org:8443/fhir",
    "https://ehr.example.org.evil.org/fhir",
    "https://ehr.example.org@evil.example.org/fhir",
    ARCHIVE,
]
Ask = Callable[[FhirClient, str], Awaitable[object]]


class Watched:
    """A network in which every address of the server points elsewhere."""

    def __init__(self, target: str) -> None:
        self.target, self.requests = target, list[httpx.Request]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer with a link or a redirect to the target."""
        self.requests.append(request)
        if request.url.path.endswith(("/Patient/moved", "/Binary/moved", "/metadata")):
            return httpx.Response(307, headers={"location": f"{self.target}/Patient/child-1"})
        if request.method == "POST":
            entries = [{"response": {"status": "200"}, "resource": bundle(observation(), next_url=self.target)}]
            return answer({"resourceType": "Bundle", "type": "batch-response", "entry": entries})
        return answer(bundle(observation(), next_url=f"{self.target}?page=2"))

    @property
    def strangers(self) -> list[httpx.Request]:
        """Requests that left the server."""
        return [
            request for request in self.requests if str(request.url).partition("/fhir")[0] != "https://ehr.example.org"
        ]


async def search(client: FhirClient, _: str) -> object:
    return await client.search("Observation", {"patient": "child-1"}, soon())


async def batch(client: FhirClient, _: str) -> object:
    return await client.batch([Request.search_of("Observation", {"patient": "child-1"})], soon())


async def follow(client: FhirClient, target: str) -> object:
    page = read_page(bundle(observation(), next_url=f"{target}?page=2"), "Observation", "prefetch.labs")
    return await client.follow("Observation", page, soon())


async def redirect(client: FhirClient, _: str) -> object:
    return await client.read("Patient", "moved", soon())


async def redirected_binary(client: FhirClient, _: str) -> object:
    return await client.fetch_binary("Binary/moved", soon())


async def attachment(client: FhirClient, target: str) -> object:
    return await client.fetch_binary(f"{target}/Binary/n1", soon())


async def metadata(client: FhirClient, _: str) -> object:
    return await client.capabilities(soon())


@pytest.mark.parametrize("target", ELSEWHERE)
@pytest.mark.parametrize("ask", [search, batch, follow, redirect, redirected_binary, attachment, metadata])
async def test_nothing_is_asked_elsewhere(ask: Ask, target: str) -> None:
    """Links, redirects and attachments that leave the server are not followed, but for an attachment that may be."""
    network = Watched(target)
    client = FhirClient(httpx.AsyncClient(transport=httpx.MockTransport(network)), SERVER, TOKEN, settings())
    with suppress(FhirError):
        await ask(client, target)

    assert network.requests or ask in (follow, attachment)
    assert len(network.strangers) == int(ask is attachment and target == ARCHIVE)
    assert not any("authorization" in request.headers for request in network.strangers)


@pytest.mark.parametrize("target", ["http://inner:8080/fhir", "https://evil.example.org/fhir"])
async def test_rerooted_link_is_asked_at_home(target: str) -> None:
    """With FHIR_REROOT_LINKS a link to another host is asked at our own, and the token goes nowhere else."""
    network = Watched(target)
    http = httpx.AsyncClient(transport=httpx.MockTransport(network))
    await search(FhirClient(http, SERVER, TOKEN, settings(reroot_links=True)), target)

    assert len(network.requests) > 1
    assert network.strangers == []
