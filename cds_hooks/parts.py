"""What the endpoints share: one object, made at start and kept on `app.state`."""

from __future__ import annotations

from dataclasses import dataclass

import httpx
from fastapi import Request

from cds_hooks.engine import Engine
from cds_hooks.jobs import JobQueue
from cds_hooks.right_of_way import RightOfWay
from cds_hooks.settings import ServiceSettings
from cds_hooks.store.opening import Store
from cds_hooks.waiting import Waiter
from fhir_adapter.settings import FhirSettings


@dataclass(frozen=True, slots=True)
class Parts:
    """The service's settings, its doors to the outside, and what answers."""

    settings: ServiceSettings
    fhir: FhirSettings
    engine: Engine
    store: Store
    queue: JobQueue
    waiter: Waiter
    http: httpx.AsyncClient
    way: RightOfWay


def parts_of(request: Request) -> Parts:
    """Return the parts of the application that a request came to."""
    parts: Parts = request.app.state.parts
    return parts
