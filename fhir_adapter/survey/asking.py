"""Address -> Reply: what a server answered, whatever it is. Nothing is raised, and nothing is sent elsewhere.

Unlike `rest.transport` it keeps status, headers and timing of every answer, because they are what is looked at.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import httpx
import orjson
from pydantic import SecretStr

from fhir_adapter.deadline import Deadline
from fhir_adapter.media_types import FHIR_JSON, FHIR_JSON_NAMES, media_type
from fhir_adapter.rest.addresses import is_within
from fhir_adapter.rest.requests import Request
from fhir_adapter.rest.transport import MAX_REDIRECTS, bearer
from fhir_adapter.shape import Resource, as_dict

MAX_REQUESTS: Final = 150
_MAX_BYTES: Final = 32 * 2**20
_AT_ONCE: Final = 4
"""A doctor must not be the load that it measures."""
_PATIENCE_S: Final = 10.0
"""For one answer; a hook would have given up long before."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, or why there is none.

    Attributes:
        status: HTTP status; 0 where no answer came.
        problem: why there is none, as a clause; empty where one came.
        headers: of the answer.
        body: at most 32 MiB.
        ms: from sending to the last byte.
        http_version: such as `HTTP/1.1`.
    """

    status: int
    problem: str = ""
    headers: httpx.Headers = field(default_factory=httpx.Headers)
    body: bytes = b""
    ms: float = 0.0
    http_version: str = ""

    @property
    def media_type(self) -> str:
        """Content type without its parameters, lower case."""
        return media_type(self.headers.get("content-type", ""))

    @property
    def is_fhir(self) -> bool:
        """Whether it calls itself FHIR JSON; plain JSON is taken, as `rest.client` takes it."""
        return self.media_type in FHIR_JSON_NAMES

    def json(self) -> object:
        """Return the body as JSON; None where it is none."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None

    def resource(self) -> Resource:
        """Return the body as a JSON object; an empty one where it is none."""
        return as_dict(self.json())


class Asker:
    """Asks one FHIR server, within one deadline and a number of requests.

    Args:
        http: the HTTP client.
        base_url: base of the FHIR server; the token is sent beneath it only.
        token: bearer token, or None.
        deadline: for everything.

    Raises:
        ValueError: the token cannot be one.
    """

    def __init__(self, http: httpx.AsyncClient, base_url: str, token: SecretStr | None, deadline: Deadline) -> None:
        self.base_url = base_url.rstrip("/")
        self.deadline = deadline
        self.requests = 0
        self._http = http
        self._authorization = bearer(token)
        self._turn = asyncio.Semaphore(_AT_ONCE)

    def use(self, token: SecretStr) -> None:
        """Send this token from now on.

        Raises:
            ValueError: the token cannot be one.
        """
        self._authorization = bearer(token)

    async def get(self, url: str, *, accept: str = FHIR_JSON, with_token: bool | None = None, **headers: str) -> Reply:
        """Get an address; `with_token` None sends the token beneath the base only."""
        return await self._ask("GET", url, {"Accept": accept, **headers}, with_token=with_token)

    async def post(self, url: str, content: bytes, content_type: str) -> Reply:
        """Post a form or a Bundle to an address beneath the base."""
        return await self._ask("POST", url, {"Accept": FHIR_JSON, "Content-Type": content_type}, content)

    async def search(self, resource_type: str, params: Mapping[str, str]) -> Reply:
        """Search a type.

        Raises:
            ValueError: a parameter is empty. Some servers ignore such a parameter and show everybody's data.
        """
        return await self.get(f"{self.base_url}/{Request.search_of(resource_type, params).path}")

    async def _ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes | None = None,
        *,
        with_token: bool | None = None,
    ) -> Reply:
        if self.requests >= MAX_REQUESTS:
            return Reply(0, "the doctor has asked often enough")
        self.requests += 1
        try:
            target = httpx.URL(url)
        except (httpx.InvalidURL, ValueError):
            return Reply(0, "its address is malformed")
        beneath = is_within(target, httpx.URL(self.base_url))
        token = self._authorization if (beneath if with_token is None else with_token) else {}
        # `no-store` would make HAPI cut a search off after one page without saying so.
        sent = {"Cache-Control": "no-cache", **headers, **token}
        async with self._turn:
            return await self._timed(httpx.Request(method, target, headers=sent, content=content))

    async def _timed(self, request: httpx.Request) -> Reply:
        start = time.perf_counter()
        try:
            async with asyncio.timeout(min(_PATIENCE_S, self.deadline.remaining())):
                reply = await self._send(request)
        except (TimeoutError, httpx.TimeoutException):
            reply = Reply(0, "no whole answer came in time")
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, ValueError) as error:
            # The error's text holds the address, which may hold a patient's id.
            reply = Reply(0, f"no answer could be had ({type(error).__name__})")
        ms = (time.perf_counter() - start) * 1000
        return Reply(reply.status, reply.problem, reply.headers, reply.body, ms, reply.http_version)

    async def _send(self, request: httpx.Request) -> Reply:
        """Send, and follow redirects that stay beneath the base, as the service does."""
        reply = Reply(0)
        for _ in range(MAX_REDIRECTS + 1):
            response = await self._http.send(request, stream=True, follow_redirects=False)
            try:
                reply = await _read(response)
            finally:
                await response.aclose()
            onward = self._onward(request, response)
            if onward is None:
                break
            request = onward
        return reply

    def _onward(self, request: httpx.Request, response: httpx.Response) -> httpx.Request | None:
        # A POST would lose its body on the way, and with it its filter.
        if request.method != "GET" or not response.has_redirect_location:
            return None
        target = response.url.join(response.headers["location"])
        if not is_within(target, httpx.URL(self.base_url)):
            return None
        return httpx.Request("GET", target, headers=request.headers)


async def _read(response: httpx.Response) -> Reply:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _MAX_BYTES:
            return Reply(0, "the answer is larger than 32 MiB")
    return Reply(response.status_code, "", response.headers, bytes(body), http_version=response.http_version)


def origin_of(url: httpx.URL | None) -> str:
    """Return scheme, host and port of an address: its path may hold anything."""
    return f"{url.scheme}://{url.netloc.decode('ascii')}" if url is not None else "a malformed address"


def describe(reply: Reply) -> str:
    """Say what came instead of what was asked for, as a clause."""
    if reply.problem:
        return reply.problem
    if reply.status != httpx.codes.OK:
        return f"HTTP {reply.status}"
    if not reply.is_fhir:
        return f"HTTP 200 with {reply.media_type or 'no content type'} in place of FHIR JSON"
    return "JSON that is not what FHIR prescribes"
