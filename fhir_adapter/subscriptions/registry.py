"""Wanted Subscriptions <-> those that a server has: made, brought up to date, taken away, and looked at.

A Subscription is known again by its endpoint, since not every server lets clients choose ids.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import httpx
import orjson

from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import FhirTimeout, FhirUnavailable
from fhir_adapter.media_types import FHIR_JSON
from fhir_adapter.references import is_fhir_id
from fhir_adapter.rest.capabilities import FhirVersion
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.transport import error_of
from fhir_adapter.shape import Resource, as_text
from fhir_adapter.subscriptions.resources import Wanted, build_subscription

_TYPE: Final = "Subscription"
Headers = Callable[[Deadline], Awaitable[Mapping[str, str]]]
"""Makes the Authorization header of a write."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a server has of a wanted Subscription.

    Attributes:
        ids: ids there; more than one is one too many.
        status: `requested`, `active`, `error`, `off`; empty where there is none.
        failing: whether the server notes an error of its delivery (R4, R4B).
    """

    ids: tuple[str, ...] = ()
    status: str = ""
    failing: bool = False


class Registry:
    """The Subscriptions of one server.

    Raises (every method): FhirError, by what the server answers.
    """

    def __init__(self, http: httpx.AsyncClient, client: FhirClient, headers: Headers) -> None:
        """Take a client that searches, and what authorizes the writes; both of the same server."""
        self._http = http
        self._client = client
        self._headers = headers

    async def standing(self, wanted: Wanted, deadline: Deadline) -> Standing:
        """Return what is there."""
        found = await self._find(wanted, deadline)
        first: Resource = found[0] if found else {}
        return Standing(
            tuple(as_text(each.get("id")) for each in found), as_text(first.get("status")), bool(first.get("error"))
        )

    async def register(self, wanted: Wanted, version: FhirVersion, deadline: Deadline) -> Standing:
        """Have the server hold it once, as it is wanted now: an older one is replaced, under its id."""
        body = build_subscription(wanted, version)
        ids = [as_text(each.get("id")) for each in await self._find(wanted, deadline)]
        if ids:
            # Replaced even where nothing seems changed: servers do not show secrets, and an `off` one must be asked on.
            await self._write("PUT", f"{_TYPE}/{ids[0]}", {**body, "id": ids[0]}, deadline)
            for surplus in ids[1:]:
                await self._write("DELETE", f"{_TYPE}/{surplus}", None, deadline)
        else:
            await self._write("POST", _TYPE, body, deadline)
        return await self.standing(wanted, deadline)

    async def unregister(self, wanted: Wanted, deadline: Deadline) -> int:
        """Take it away, and return how many there were."""
        found = await self._find(wanted, deadline)
        for each in found:
            await self._write("DELETE", f"{_TYPE}/{as_text(each.get('id'))}", None, deadline)
        return len(found)

    async def _find(self, wanted: Wanted, deadline: Deadline) -> list[Resource]:
        result = await self._client.search(_TYPE, {"url": wanted.endpoint}, deadline)
        # A server that ignores the filter shows the Subscriptions of others, and those must stay.
        ours = [each for each in result.resources if _endpoint_of(each) == wanted.endpoint]
        return sorted((each for each in ours if is_fhir_id(as_text(each.get("id")))), key=lambda each: str(each["id"]))

    async def _write(self, method: str, path: str, body: Resource | None, deadline: Deadline) -> None:
        headers = {"Accept": FHIR_JSON, "Prefer": "return=minimal", **await self._headers(deadline)}
        content = None if body is None else orjson.dumps(body)
        if content is not None:
            headers["Content-Type"] = FHIR_JSON
        url = f"{self._client.base_url}/{path}"
        # httpx errors hold the address and, with it, the endpoint: `from None` keeps them out of every traceback.
        try:
            async with asyncio.timeout(deadline.remaining()):
                # The body of the answer is not read: what is there now is asked for afterwards.
                async with self._http.stream(method, url, content=content, headers=headers, timeout=None) as response:
                    if not response.is_success:
                        raise error_of(_TYPE, response.status_code)
        except (TimeoutError, httpx.TimeoutException):
            raise FhirTimeout(_TYPE) from None
        except httpx.HTTPError:
            raise FhirUnavailable(_TYPE) from None


def _endpoint_of(subscription: Resource) -> str:
    """Return where it sends: R5 keeps that at the top, R4 and R4B in the channel."""
    channel = subscription.get("channel")
    inner = channel.get("endpoint") if isinstance(channel, dict) else None
    return as_text(subscription.get("endpoint")) or as_text(inner)
