"""fhirServer and fhirAuthorization of a hook -> what was granted, and a client for it, or none."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import httpx

from cds_hooks.protocol import FhirAuthorization
from fhir_adapter.auth.backend import open_access
from fhir_adapter.auth.grant import Grant, GrantAccess
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.settings import FhirSettings

LONGEST: Final = timedelta(days=366)
"""No calendar holds what a client may write into `expires_in`."""


def read_grant(authorization: FhirAuthorization | None, received_at: datetime) -> Grant | None:
    """Return what a hook grants; `expires_in` counts from when it came."""
    if authorization is None:
        return None
    lifetime = timedelta(seconds=min(authorization.expires_in, int(LONGEST.total_seconds())))
    expires_at = received_at + lifetime
    return Grant(authorization.access_token, expires_at, authorization.scope, authorization.patient or "")


def open_client(
    http: httpx.AsyncClient, server: str | None, grant: Grant | None, settings: FhirSettings, *, own: bool = False
) -> FhirClient | None:
    """Return a client for the server of a case, or None where only prefetched data may be used.

    A site that allows no server at all works on prefetch alone, whatever address the EHR sends along.

    Args:
        http: shared.
        server: base address, None where the hook names none.
        grant: what the hook granted.
        settings: allow-list, limits and registrations.
        own: ask with this service's own access (SMART Backend Services): for a case that no hook asked about, never
            for one that a hook did.

    Raises:
        ServerNotAllowed: servers are allowed, but this is none of them.
    """
    if server is None or not settings.allowed_servers:
        return None
    access = open_access(http, settings, server) if own else GrantAccess(grant) if grant else None
    return FhirClient(http, server, access, settings)
