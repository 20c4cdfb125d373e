"""Server -> the service's own access to it: outside a hook there is no user whose token could be used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import httpx

from fhir_adapter.auth.access import Access, access_of
from fhir_adapter.auth.backend import open_access
from fhir_adapter.deadline import Deadline
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.requests import Request
from fhir_adapter.settings import FhirSettings

OpenAccess = Callable[[str], Access | None]
"""From the base address of a server to our access to it; None where we have none, as for a server that is open."""
SUBSCRIPTIONS: Final = Request("Subscription", "search")


class OwnAccess:
    """Opens clients, and shows the right to write Subscriptions.

    Args:
        http: shared.
        settings: allow-list, limits and registrations.
        opened: what opens an access; that of the registrations (SMART Backend Services) where none is given.
    """

    def __init__(self, http: httpx.AsyncClient, settings: FhirSettings, opened: OpenAccess | None = None) -> None:
        self.http = http
        self._settings = settings
        self._opened = opened or partial(open_access, http, settings)

    def client(self, server: str) -> FhirClient:
        """Return a client for a server.

        Raises:
            ServerNotAllowed: it is none of those that are allowed.
        """
        return FhirClient(self.http, server, self._opened(server), self._settings)

    def shown_to(self, server: str) -> bool:
        """Whether there is an access to show; an open server is read without any, by a worker and by us."""
        return self._opened(server) is not None

    async def headers(self, server: str, deadline: Deadline) -> Mapping[str, str]:
        """Return the headers that authorize writing a Subscription.

        Raises:
            FhirError: a token cannot be had, or does not cover Subscriptions.
        """
        return await access_of(self._opened(server)).headers(SUBSCRIPTIONS, deadline)
