"""fhirServer and fhirAuthorization of a hook -> a client for it, or none."""

from __future__ import annotations

import httpx
from pydantic import SecretStr

from fhir_adapter.rest.client import FhirClient
from fhir_adapter.settings import FhirSettings


def open_client(
    http: httpx.AsyncClient, server: str | None, token: SecretStr | None, settings: FhirSettings
) -> FhirClient | None:
    """Return a client for the server of the hook, or None where only prefetched data may be used.

    A site that allows no server at all works on prefetch alone, whatever address the EHR sends along.

    Raises:
        ServerNotAllowed: servers are allowed, but this is none of them.
    """
    if server is None or not settings.allowed_servers:
        return None
    return FhirClient(http, server, token, settings)
