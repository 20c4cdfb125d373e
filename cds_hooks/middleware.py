"""What happens to every request: its id and log line, its size, its security headers, and the one broad catch."""

from __future__ import annotations

import time
from typing import Final
from uuid import UUID, uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cds_hooks.errors import INTERNAL, Issue, Refusal
from cds_hooks.log import get_logger
from cds_hooks.settings import ServiceSettings
from cds_hooks.wire import outcome_response, refusal_response

ALWAYS: Final = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
log = get_logger()


class RequestLog:
    """Gives each request an id, binds it to all events, and writes one event when it ends.

    Its duration is what the client waited, without the work that goes on after the answer has gone out.

    The route is logged, never the path: that of a page is a secret. An id of the client is taken over only where it
    is a UUID, since nothing else is certain to hold no data.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id, began, status = _request_id(Headers(scope=scope)), time.perf_counter(), 0
        answered: float | None = None
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_with_id(message: Message) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                answered = time.perf_counter()

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_id)
            finally:
                took = round(((answered or time.perf_counter()) - began) * 1000, 1)
                log.info("request", method=scope["method"], route=_route(scope), status=status, duration_ms=took)


def _request_id(headers: Headers) -> str:
    try:
        return str(UUID(headers.get("x-request-id", "")))
    except ValueError:
        return str(uuid4())


def _route(scope: Scope) -> str:
    route = scope.get("route")
    return str(getattr(route, "path", "")) or "unmatched"


class Edge:
    """The one broad catch of the web: whatever fails unforeseen is a 500 that tells nothing of the inside."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        started = False

        async def note_start(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, note_start)
        except Exception:
            if scope["type"] != "http" or started:
                raise
            log.exception("request_failed", route=_route(scope))
            await outcome_response(500, INTERNAL)(scope, receive, send)


class BodyLimit:
    """Refuses a body beyond the limit: by its announced length, or as soon as more has come."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdecimal() and int(announced) > self._limit:
            await refusal_response(self._refusal())(scope, receive, send)
            return
        read = 0

        async def count() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._limit:
                raise self._refusal()
            return message

        await self._app(scope, count, send)

    def _refusal(self) -> Refusal:
        sentence = f"The body is larger than {self._limit} bytes: ask for less prefetch, or raise CDS_MAX_BODY_BYTES."
        return Refusal(413, Issue("too-long", sentence), headers={"Connection": "close"})


class SecurityHeaders:
    """Adds what is good for every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in ALWAYS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class HooksCors:
    """Lets browser-based CDS clients call `/cds-services`, and nothing else: pages stay out of reach of other sites."""

    def __init__(self, app: ASGIApp, settings: ServiceSettings) -> None:
        self._app = app
        self._open = CORSMiddleware(
            app,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "X-Request-Id"],
            expose_headers=["X-Request-Id", "Retry-After"],
            allow_credentials=False,
            max_age=600,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        is_hook = scope["type"] == "http" and scope["path"].startswith("/cds-services")
        await (self._open if is_hook else self._app)(scope, receive, send)
