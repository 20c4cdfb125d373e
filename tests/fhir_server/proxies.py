"""HTTP transports that stand between a client and a real server, and change what is asked or what comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from pydantic import SecretStr

from fhir_adapter.rest.client import FhirClient
from tests.fhir_server.server import FhirServer

Change = Callable[[httpx.Request], httpx.Request]


class Between(httpx.AsyncBaseTransport):
    """Passes requests on, changed; keeps what the client asked for, and the bodies that it got.

    Args:
        change: makes of a request the one that is sent.
    """

    def __init__(self, change: Change) -> None:
        self._change = change
        self._inner = httpx.AsyncHTTPTransport()
        self.requests: list[httpx.Request] = []
        self.answers: list[httpx.Response] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the changed request and return the server's answer."""
        self.requests.append(request)
        response = await self._inner.handle_async_request(self._change(request))
        content = await httpx.Response(200, headers=response.headers, stream=response.stream).aread()
        # The body is unpacked by now.
        headers = [
            pair for pair in response.headers.raw if pair[0].lower() not in (b"content-encoding", b"content-length")
        ]
        self.answers.append(httpx.Response(response.status_code, headers=headers, content=content))
        return httpx.Response(response.status_code, headers=headers, content=content)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


def as_it_is(request: httpx.Request) -> httpx.Request:
    """Change nothing."""
    return request


def with_url(change: Callable[[str], str]) -> Change:
    """Return what changes the address of a request."""

    def apply(request: httpx.Request) -> httpx.Request:
        url = change(str(request.url))
        headers = [pair for pair in request.headers.raw if pair[0].lower() != b"host"]
        content = request.content if isinstance(request.stream, httpx.ByteStream) else b""
        return httpx.Request(request.method, url, headers=headers, content=content)

    return apply


def with_header(name: str, value: str) -> Change:
    """Return what sets a header of a request."""

    def apply(request: httpx.Request) -> httpx.Request:
        request = with_url(str)(request)
        request.headers[name] = value
        return request

    return apply


@asynccontextmanager
async def client_through(
    server: FhirServer, change: Change = as_it_is, token: str | None = None, **settings: Any
) -> AsyncIterator[tuple[FhirClient, Between]]:
    """Open a client whose requests go through a proxy, which is returned too."""
    between = Between(change)
    secret = token or server.token
    async with httpx.AsyncClient(transport=between) as http:
        allowed = server.fhir_settings(**settings)
        yield FhirClient(http, server.base, SecretStr(secret) if secret else None, allowed), between
