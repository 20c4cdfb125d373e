"""A real small FHIR server with invented patients, and a service that watches it step by step."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import sqlalchemy as sa
from pydantic import HttpUrl
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from cds_hooks.ahead.access import OpenAccess, OwnAccess
from cds_hooks.ahead.settings import WatchSettings
from cds_hooks.ahead.watching import Watching
from cds_hooks.parts import Parts
from cds_hooks.sandbox.fhir import fhir_app
from cds_hooks.sandbox.resources import ResourceStore
from cds_hooks.store.tables import ahead, audit
from fhir_adapter.settings import FhirSettings
from tests.cds_hooks.fakes import Running, make_settings, running
from tests.cds_hooks.samples import make_observation, make_patient
from tests.sandbox.live import served

NARROW = "narrow-token"
"""A bearer token that does not cover Observations."""


class Guard:
    """Keeps Observations from the narrow token, and fails where it is told to.

    Attributes:
        down: fail for everything.
        fails: fail for paths that hold this.
        tokens: the bearer token of each request.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.down = False
        self.fails = ""
        self.tokens: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        app = self._app
        if scope["type"] == "http":
            request = Request(scope)
            token = request.headers.get("authorization", "").removeprefix("Bearer ")
            self.tokens.append(token)
            failing = self.down or (self.fails and self.fails in request.url.path)
            if failing or (token == NARROW and "/Observation" in request.url.path):
                app = _refusal(503 if failing else 403)
        await app(scope, receive, send)


def _refusal(status: int) -> Response:
    return JSONResponse({"resourceType": "OperationOutcome", "issue": []}, status)


@dataclasses.dataclass
class Ward:
    """The FHIR server: its base address, what it holds, and its door."""

    base: str
    resources: ResourceStore
    guard: Guard

    def add(self, *resources: dict[str, Any]) -> None:
        """Store resources; what is there already gets its next version."""
        for resource in resources:
            self.resources.put(resource)


@contextmanager
def ward() -> Iterator[Ward]:
    """Serve one patient with one result."""
    resources = ResourceStore()
    guard = Guard(fhir_app(resources))
    with served(Starlette(routes=[Mount("/fhir", guard)])) as url:
        found = Ward(f"{url}/fhir", resources, guard)
        found.add(make_patient(), make_observation())
        yield found


@dataclasses.dataclass
class Site:
    """A service that answers hooks, and its watching, which goes one step only when told to."""

    ward: Ward
    service: Running
    watching: Watching
    parts: Parts

    def rows(self, table: sa.Table = ahead) -> list[Any]:
        """Return what is stored in a table."""
        with self.parts.store.database.read() as connection:
            return list(connection.execute(sa.select(table)))

    def hasten(self) -> None:
        """Make every patient due now."""
        with self.parts.store.database.write() as connection:
            connection.execute(sa.update(ahead).values(due_at=self.parts.store.clock()))

    def audited(self, action: str) -> list[Any]:
        """Return the rows of the trail about an action."""
        return [row for row in self.rows(audit) if row.action == action]


@asynccontextmanager
async def site(
    ward: Ward, watch: dict[str, Any] | None = None, access: OpenAccess | None = None, **changes: Any
) -> AsyncIterator[Site]:
    """Run a service beside a ward.

    Args:
        ward: the FHIR server.
        watch: changes of the watch settings.
        access: of the service's own.
        changes: of the service's settings.
    """
    # In the service itself nothing is watched, so that nothing goes on in the background.
    idle = {"quiet_s": 0.0, "whom": "all", "keep_fresh": "PT0S", **(watch or {})}
    settings = make_settings(watch=WatchSettings(**idle), **changes)
    fhir = FhirSettings(allowed_servers=(HttpUrl(ward.base),), max_attempts=1)
    async with running(settings=settings, fhir=fhir) as service:
        watched = WatchSettings(servers=(ward.base,), **idle)
        parts = dataclasses.replace(service.app.state.parts, settings=settings.model_copy(update={"watch": watched}))
        watching = Watching(parts, OwnAccess(parts.http, fhir, access))
        service.app.state.watching = watching
        yield Site(ward, service, watching, parts)
