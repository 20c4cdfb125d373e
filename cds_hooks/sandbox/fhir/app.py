"""A FHIR R4 server over a ResourceStore, as an ASGI application. For fictitious patients only."""

from __future__ import annotations

from functools import partial
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from cds_hooks.sandbox.fhir.access import TokenCheck
from cds_hooks.sandbox.fhir.answers import base_of, error_answer, fhir_json
from cds_hooks.sandbox.fhir.batches import answer_at_base
from cds_hooks.sandbox.fhir.capability import capability_statement
from cds_hooks.sandbox.fhir.options import Server, ServerOptions
from cds_hooks.sandbox.fhir.reading import answer_history, answer_operation, answer_read
from cds_hooks.sandbox.fhir.searching import answer_form, answer_search
from cds_hooks.sandbox.fhir.writing import answer_create, answer_delete, answer_update
from cds_hooks.sandbox.resources import ResourceStore

READ_ONLY: Final = ServerOptions()


def fhir_routes(path: str, store: ResourceStore, options: ServerOptions = READ_ONLY) -> list[BaseRoute]:
    """Return the server as routes at and beneath a path such as `/fhir`: pages are asked for at the path itself."""
    app = fhir_app(store, options)
    return [Route(path, _AtBase(app)), Mount(path, app)]


def fhir_app(store: ResourceStore, options: ServerOptions = READ_ONLY) -> Starlette:
    """Return the server as an ASGI application, to be mounted at its base path."""
    server = Server.over(store, options)
    one, kind = "/{kind}/{name}", "/{kind}"
    routes = [
        Route("/", partial(answer_at_base, server), methods=["GET", "POST"]),
        Route("/metadata", partial(_metadata, options)),
        Route(f"{kind}/_search", partial(answer_form, server), methods=["GET", "POST"]),
        Route(f"{one}/_history/{{version}}", partial(answer_read, server)),
        Route(f"{one}/_history", partial(answer_history, server)),
        Route(f"{one}/{{operation}}", answer_operation, methods=["GET", "POST"]),
        Route(one, partial(answer_read, server)),
        Route(one, partial(answer_update, server), methods=["PUT"]),
        Route(one, partial(answer_delete, server), methods=["DELETE"]),
        Route(kind, partial(answer_search, server)),
        Route(kind, partial(answer_create, server), methods=["POST"]),
    ]
    checks = [Middleware(TokenCheck, token=options.token)] if options.token else []
    return Starlette(routes=routes, middleware=checks, exception_handlers={HTTPException: error_answer})


async def _metadata(options: ServerOptions, request: Request) -> Response:
    """Answer with the CapabilityStatement."""
    return fhir_json(capability_statement(base_of(request), options))


class _AtBase:
    """Passes a request for the base address, without a slash at its end, on as one with it: a mount would redirect."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        await self._app({**scope, "root_path": path, "path": f"{path}/"}, receive, send)
