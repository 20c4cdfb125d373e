"""Service and sandbox as one ASGI application, for one process on one port."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Mount, Route

from cds_hooks.app import create_app
from cds_hooks.sandbox.chart import CHART_PATH, chart_routes
from cds_hooks.sandbox.hospital import Sandbox
from cds_hooks.settings import ServiceSettings
from fhir_adapter.settings import FhirSettings


def combined_app(sandbox: Sandbox, settings: ServiceSettings, fhir: FhirSettings) -> Starlette:
    """Return the sandbox's paths, and the service on all others.

    Raises:
        inference.checkpoint.CheckpointError: there is no checkpoint to serve.
    """
    service = create_app(settings, fhir)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        # Starlette does not start what is mounted: its worker and its database would be missing.
        async with service.router.lifespan_context(service):
            yield

    routes = [Route("/", _to_chart), *sandbox.routes(), *chart_routes(sandbox), Mount("/", service)]
    return Starlette(routes=routes, lifespan=lifespan)


async def _to_chart(_request: Request) -> RedirectResponse:
    """Lead to the chart page."""
    return RedirectResponse(CHART_PATH)
