"""A server that holds Subscriptions and chooses their ids itself, as most do."""

from __future__ import annotations

from typing import Any

import httpx
import orjson

from fhir_adapter.rest.client import FhirClient
from fhir_adapter.subscriptions.registry import Registry
from tests.fhir_adapter.builders import SERVER, Json, answer, bundle, outcome, settings


def endpoint_of(resource: Json) -> str:
    found: str = resource.get("endpoint") or resource["channel"]["endpoint"]
    return found


class SubscriptionServer:
    """Answers `Subscription?url=`, POST, PUT and DELETE.

    Attributes:
        held: what it holds, by id.
        requests: everything it was asked.
        filters: whether it heeds `url`.
        refuses: status of every write, where it takes none.
    """

    def __init__(self, version: str = "4.0.1") -> None:
        self.held: dict[str, Json] = {}
        self.requests: list[httpx.Request] = []
        self.filters = True
        self.refuses = 0
        self.version = version

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        self.requests.append(request)
        path = request.url.path.removeprefix("/fhir/")
        if path == "metadata":
            return answer({"resourceType": "CapabilityStatement", "fhirVersion": self.version})
        if request.method == "GET":
            wanted = request.url.params["url"]
            found = [each for each in self.held.values() if not self.filters or endpoint_of(each) == wanted]
            return answer(bundle(*found))
        return answer(outcome(), self.refuses) if self.refuses else self._write(request, path.rpartition("/")[2])

    def _write(self, request: httpx.Request, own_id: str) -> httpx.Response:
        if request.method == "DELETE":
            del self.held[own_id]
            return httpx.Response(204)
        resource: dict[str, Any] = orjson.loads(request.content)
        own_id = own_id if request.method == "PUT" else f"s{len(self.held) + 1}"
        self.held[own_id] = {**resource, "id": own_id, "status": "active"}
        return httpx.Response(201)

    @property
    def written(self) -> list[str]:
        """Method and path of each write."""
        writes = (request for request in self.requests if request.method != "GET")
        return [f"{request.method} {request.url.path.removeprefix('/fhir/')}" for request in writes]

    def http(self) -> httpx.AsyncClient:
        """Return an HTTP client that reaches it."""
        return httpx.AsyncClient(transport=httpx.MockTransport(self))

    def registry(self) -> Registry:
        """Return its Subscriptions."""

        async def headers(_: object) -> dict[str, str]:
            return {"Authorization": "Bearer own"}

        http = self.http()
        return Registry(http, FhirClient(http, SERVER, None, settings()), headers)
