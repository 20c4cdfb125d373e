"""POST /notifications/{key}: a server says that something changed. Its secret tells who; the rest is looked up."""

from __future__ import annotations

import hmac
from http import HTTPStatus
from typing import Final

from fastapi import APIRouter, Request, Response

from cds_hooks.ahead.targets import PATH, Target
from cds_hooks.ahead.watching import Watching
from cds_hooks.errors import Issue, Refusal
from cds_hooks.log import get_logger
from cds_hooks.wire import NO_STORE
from fhir_adapter.errors import FhirMalformed
from fhir_adapter.subscriptions.notifications import Kind, read_notification

MAX_BODY: Final = 2**18
"""Bytes of a notification; one of 500 events, ids only, has less than half of them."""
UNKNOWN: Final = Refusal(404, Issue("not-found", "There is no such address, or the notification has not its secret."))
"""The same for an address that does not exist, and for a secret that is wrong."""
NOBODY: Final = "-" * 64
router = APIRouter()
log = get_logger()


@router.post(f"{PATH}/{{key}}")
async def receive(key: str, request: Request) -> Response:
    """Take a notification (Subscription, channel rest-hook, R4 to R5), and answer before it is followed."""
    watching: Watching | None = getattr(request.app.state, "watching", None)
    target = _sender(watching, key, request.headers.get("authorization", ""))
    if watching is None or target is None:
        raise UNKNOWN
    body = await _read(request)
    try:
        notification = read_notification(body)
    except FhirMalformed as error:
        raise Refusal(400, Issue("structure", f"{error}.")) from None
    if notification.kind is Kind.HANDSHAKE:
        log.info("subscription_begun", part=target.interest.name)
    if not watching.put(target, notification):
        raise Refusal(503, Issue("throttled", "Too many notifications wait: send it again later."))
    return Response(status_code=HTTPStatus.OK, headers=NO_STORE)


def _sender(watching: Watching | None, key: str, authorization: str) -> Target | None:
    """Return what a notification is about, if it brings its secret along."""
    target = watching.targets.get(key) if watching else None
    expected = target.secret.get_secret_value() if target else NOBODY
    scheme, _, secret = authorization.partition(" ")
    # Compared in any case, so that the time does not tell which addresses exist.
    right = hmac.compare_digest(secret.strip().encode(), expected.encode())
    return target if right and scheme.lower() == "bearer" else None


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise Refusal(413, Issue("too-long", "A notification holds ids only: set its content to id-only or empty."))
    return bytes(body)
