"""Registration at a FHIR server -> Access of our own, for work outside a hook (SMART Backend Services).

A hook must not be answered with it: whoever calls would see what only this service may see.
"""

from __future__ import annotations

import asyncio
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import httpx

from fhir_adapter.auth.access import Access
from fhir_adapter.auth.discovery import TokenEndpoint, find_token_endpoint
from fhir_adapter.auth.keys import KeysUnusable, SigningKey, read_keys
from fhir_adapter.auth.scopes import Scope, covers, read_scopes
from fhir_adapter.auth.tokens import WHAT, ask_for_token
from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import FhirTimeout, FhirUnavailable, NotCovered, TokenRefused
from fhir_adapter.rest.memory import memory_of
from fhir_adapter.rest.requests import Request
from fhir_adapter.rest.transport import bearer
from fhir_adapter.settings import BackendClient, FhirSettings

WITHIN_S: Final = 15.0
"""How long a token is asked for, whoever waits: the next one to come can use it still."""
MARGIN_S: Final = 30.0
"""A token is renewed this long before it ends, or at three quarters of a short life."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A token in use: its header, when it is to be renewed (clock of the access), and what it covers."""

    headers: Mapping[str, str]
    until: float
    scopes: tuple[Scope, ...] | None


class BackendAccess:
    """One client registration at one FHIR server; its token is asked for when first needed and shared by all.

    Args:
        http: shared; the token endpoint is asked with it too.
        base_url: of the FHIR server.
        client: the registration.
        clock: seconds that only grow.
    """

    def __init__(
        self, http: httpx.AsyncClient, base_url: str, client: BackendClient, clock: Callable[[], float] = time.monotonic
    ) -> None:
        # Weakly: what is remembered with the HTTP client holds this, and would keep it alive for ever.
        self._http = weakref.ref(http)
        self._base_url, self._client, self._clock = base_url, client, clock
        self._endpoint: TokenEndpoint | None = None
        self._held: _Held | None = None
        self._asking: asyncio.Task[_Held] | None = None

    async def headers(self, request: Request, deadline: Deadline) -> Mapping[str, str]:
        """Return the header of a token that holds for a while.

        Raises:
            NotCovered: the scopes that were given do not cover this.
            TokenRefused: no token is to be had.
            FhirError: the token endpoint cannot be found, or did not answer in time.
        """
        held = self._held
        if held is None or self._clock() >= held.until:
            held = await self._wait_for_token(deadline)
        if held.scopes is not None and not covers(held.scopes, request):
            raise NotCovered(request.resource_type)
        return held.headers

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Forget the token that was refused; return True: the server may have forgotten it at a restart."""
        if self._held is not None and self._held.headers == refused:
            self._held = None
        return True

    async def _wait_for_token(self, deadline: Deadline) -> _Held:
        """Wait for the one request that is under way, or begin it."""
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
            self._asking.add_done_callback(self._asked)
        try:
            # Shielded: one who gives up must not take it from the others.
            async with asyncio.timeout(deadline.remaining()):
                return await asyncio.shield(self._asking)
        except TimeoutError:
            raise FhirTimeout(WHAT) from None

    def _asked(self, task: asyncio.Task[_Held]) -> None:
        self._asking = None
        if task.cancelled() or task.exception() is not None:
            # The server may have moved it: looked for anew by the next one who asks.
            self._endpoint = None
        else:
            self._held = task.result()

    async def _ask(self) -> _Held:
        http, deadline = self._http(), Deadline.after(WITHIN_S)
        if http is None:
            raise FhirUnavailable(WHAT)
        if self._endpoint is None:
            self._endpoint = await self._find_endpoint(http, deadline)
        endpoint, refusal = self._endpoint, TokenRefused("no usable key")
        for key in await self._keys(endpoint):
            began = self._clock()
            try:
                token = await ask_for_token(http, endpoint, self._client, key, deadline)
            except TokenRefused as error:
                # The server may not have read our new public key yet, or no longer know the old one: try the next.
                if error.code != "invalid_client":
                    raise
                refusal = error
            else:
                until = began + max(token.seconds - MARGIN_S, token.seconds * 0.75)
                return _Held(bearer(token.token), until, read_scopes(token.scope))
        raise refusal

    async def _find_endpoint(self, http: httpx.AsyncClient, deadline: Deadline) -> TokenEndpoint:
        if self._client.token_url is not None:
            return TokenEndpoint(str(self._client.token_url))
        return await find_token_endpoint(http, self._base_url, deadline)

    async def _keys(self, endpoint: TokenEndpoint) -> tuple[SigningKey, ...]:
        """Read the keys anew, so that a changed file counts from the next token on; those the server can check."""
        try:
            keys = await asyncio.to_thread(read_keys, self._client.keys)
        except KeysUnusable:
            raise TokenRefused("no usable key") from None
        return tuple(key for key in keys if not endpoint.algorithms or key.algorithm in endpoint.algorithms)


def open_access(http: httpx.AsyncClient, settings: FhirSettings, base_url: str) -> Access | None:
    """Return this service's own access to a FHIR server, the same object each time; None where it is not registered.

    Never for answering a hook: see the module.
    """
    base = base_url.rstrip("/")
    accesses = memory_of(http).accesses
    if base not in accesses:
        client = next((each for url, each in settings.clients.items() if str(url).rstrip("/") == base), None)
        if client is None:
            return None
        accesses[base] = BackendAccess(http, base, client)
    return accesses[base]
