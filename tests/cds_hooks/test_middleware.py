from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs

from cds_hooks.middleware import BodyLimit, RequestLog
from tests.cds_hooks.fakes import Running, make_settings, running
from tests.cds_hooks.samples import FAMILY, make_hook

ORIGIN = {"Origin": "https://sandbox.example"}
PREFLIGHT = {
    **ORIGIN,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type,authorization",
}
URL = "/cds-services/mllm-diagnosis"


@pytest.mark.parametrize("path", ["/cds-services", URL, f"{URL}/feedback"])
async def test_browser_may_ask_whether_it_may_call(service: Running, path: str) -> None:
    """A preflight for any endpoint of CDS Hooks is answered, for JSON with a token."""
    response = await service.client.options(path, headers=PREFLIGHT)

    assert (response.status_code, response.headers["access-control-allow-origin"]) == (200, "*")
    assert "POST" in response.headers["access-control-allow-methods"]
    assert "Authorization" in response.headers["access-control-allow-headers"]


@pytest.mark.parametrize(("body", "status"), [(make_hook(), 200), ({}, 400), (make_hook(prefetch={}), 412)])
async def test_browser_may_read_errors_too(service: Running, body: object, status: int) -> None:
    """A browser-based client sees why a call failed: errors carry the same header as answers."""
    response = await service.fire(body, **ORIGIN)

    assert (status, "*") == (response.status_code, response.headers["access-control-allow-origin"])


async def test_browser_may_read_unforeseen_errors(service: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even a 500 can be read by the client that caused it."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(type(service.store.jobs), "claim", broken)
    response = await service.fire(make_hook(), **ORIGIN)

    assert (response.status_code, response.headers["access-control-allow-origin"]) == (500, "*")


async def test_no_cookie_is_ever_allowed(service: Running) -> None:
    """Open to all origins is only right without credentials."""
    response = await service.fire(make_hook(), **ORIGIN)

    assert "access-control-allow-credentials" not in response.headers
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize("path", ["/explanations/" + "x" * 32, "/healthz"])
async def test_pages_are_closed_to_other_sites(service: Running, path: str) -> None:
    """What is no part of CDS Hooks cannot be read by the page of another site."""
    response = await service.client.get(path, headers=ORIGIN)

    assert "access-control-allow-origin" not in response.headers


async def test_site_may_close_it() -> None:
    """With a list of origins only those may call."""
    async with running(settings=make_settings(cors_origins=("https://ehr.example",))) as service:
        stranger = await service.client.get("/cds-services", headers=ORIGIN)
        friend = await service.client.get("/cds-services", headers={"Origin": "https://ehr.example"})

    assert "access-control-allow-origin" not in stranger.headers
    assert friend.headers["access-control-allow-origin"] == "https://ehr.example"


async def test_announced_size_is_believed_before_anything_is_read() -> None:
    """A body that says that it is too large is refused without reading a byte of it."""
    sent: list[Message] = []

    async def never(*_: object) -> Any:
        raise AssertionError("nothing is to be read")

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "headers": [(b"content-length", b"2000")]}
    await BodyLimit(never, limit=1024)(scope, never, send)

    assert sent[0]["status"] == 413


@pytest.mark.parametrize("path", ["/cds-services", "/healthz", "/nowhere", "/static/explanation.css"])
async def test_every_answer_is_marked(service: Running, path: str) -> None:
    """Each answer has an id, and forbids guessing its type and passing on its address."""
    headers = (await service.client.get(path)).headers

    assert UUID(headers["x-request-id"])
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")


async def test_uuid_of_the_client_is_taken_over(service: Running) -> None:
    """An EHR that sends its own id finds it again."""
    sent = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"

    assert (await service.client.get("/healthz", headers={"X-Request-Id": sent})).headers["x-request-id"] == sent


@pytest.mark.parametrize("sent", [FAMILY, "", "x" * 1000, "1; drop"])
async def test_anything_else_is_replaced(service: Running, sent: str) -> None:
    """What is no UUID might be anything, also a name, and would be logged: another id is given."""
    headers = (await service.client.get("/healthz", headers={"X-Request-Id": sent})).headers

    assert UUID(headers["x-request-id"])


async def test_duration_is_what_the_client_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work that goes on after the answer has gone out is not part of the time that the log tells."""
    clock = [0.0]
    monkeypatch.setattr("cds_hooks.middleware.time.perf_counter", lambda: clock[0])

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        clock[0] += 0.25
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        clock[0] += 9

    async def ignore(_: Message) -> None:
        return

    async def nothing() -> Message:
        return {"type": "http.disconnect"}

    with capture_logs() as logged:
        await RequestLog(app)({"type": "http", "method": "GET", "headers": []}, nothing, ignore)

    assert [event["duration_ms"] for event in logged] == [250.0]
