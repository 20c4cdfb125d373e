"""Server -> the service's own access to it: outside a hook there is no user whose token could be used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import httpx
from pydantic import SecretStr

from fhir_adapter.auth.access import Access, access_of
from fhir_adapter.deadline import Deadline
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.requests import Request
from fhir_adapter.settings import FhirSettings

OpenAccess = Callable[[str], Access | None]
"""From the base address of a server to our access to it; None where none is set up, as for a server that is open."""
CHART: Final = Request("Patient", "search")
SUBSCRIPTIONS: Final = Request("Subscription", "search")
SCHEME: Final = "Bearer "


class OwnAccess:
    """Opens clients, and shows the right to ask.

    Raises (every method): FhirError where a token cannot be had; ServerNotAllowed for a server that is not allowed.
    """

    def __init__(self, http: httpx.AsyncClient, settings: FhirSettings, open_access: OpenAccess) -> None:
        self.http = http
        self._settings = settings
        self._open_access = open_access

    def client(self, server: str) -> FhirClient:
        """Return a client for a server."""
        return FhirClient(self.http, server, self._open_access(server), self._settings)

    async def token(self, server: str, deadline: Deadline) -> SecretStr | None:
        """Return a token for a worker that reads on; good for some minutes, as a hook's is."""
        headers = await access_of(self._open_access(server)).headers(CHART, deadline)
        found = headers.get("Authorization", "")
        return SecretStr(found.removeprefix(SCHEME)) if found.startswith(SCHEME) else None

    async def headers(self, server: str, deadline: Deadline) -> Mapping[str, str]:
        """Return the headers that authorize writing a Subscription."""
        return await access_of(self._open_access(server)).headers(SUBSCRIPTIONS, deadline)


def no_access(_server: str) -> None:
    """Have no access of our own to any server."""
