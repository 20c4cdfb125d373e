"""Server -> a client with the service's own access: outside a hook there is no user whose token could be used."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from fhir_adapter.rest.client import FhirClient
from fhir_adapter.settings import FhirSettings

OpenClient = Callable[[str], FhirClient]
"""From the base address of a server to a client for it."""


def own_clients(http: httpx.AsyncClient, settings: FhirSettings) -> OpenClient:
    """Return what opens clients."""

    def open_client(server: str) -> FhirClient:
        return FhirClient(http, server, None, settings)

    return open_client
