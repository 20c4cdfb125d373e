"""Server -> the service's own access to it: outside a hook there is no user whose token could be used."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import httpx
from pydantic import SecretStr

from fhir_adapter.deadline import Deadline
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.transport import bearer
from fhir_adapter.settings import FhirSettings

TokenFor = Callable[[str, Deadline], Awaitable[SecretStr | None]]
"""From the base address of a server to a token for it that is good for some minutes; None where it needs none."""


async def no_token(_server: str, _deadline: Deadline) -> None:
    """Give no token to any server."""


class OwnAccess:
    """Opens clients with tokens of our own.

    Raises (every method): FhirError where a token cannot be had; ServerNotAllowed for a server that is not allowed.
    """

    def __init__(self, http: httpx.AsyncClient, settings: FhirSettings, token_for: TokenFor = no_token) -> None:
        self.http = http
        self._settings = settings
        self._token_for = token_for

    async def client(self, server: str, deadline: Deadline) -> FhirClient:
        """Return a client for a server; to be used now, since its token grows old."""
        return FhirClient(self.http, server, await self.token(server, deadline), self._settings)

    async def token(self, server: str, deadline: Deadline) -> SecretStr | None:
        """Return a token for a server."""
        return await self._token_for(server, deadline)

    async def headers(self, server: str, deadline: Deadline) -> dict[str, str]:
        """Return the header that authorizes a write."""
        return bearer(await self.token(server, deadline))
