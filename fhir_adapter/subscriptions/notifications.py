"""Body of a notification -> what kind it is, its event numbers and the resources it names. No network.

Read are R4 rest-hook (an empty body, or a resource), the backport for R4 (Parameters) and R4B (SubscriptionStatus), and
R5. Nothing but types, ids and numbers is taken from it: whoever sends it may be wrong about the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import orjson

from fhir_adapter.errors import FhirMalformed
from fhir_adapter.shape import Resource, as_dict, as_text, dicts_of

MAX_EVENTS: Final = 500
"""Events read of one notification; those beyond count as missed."""
_WHAT: Final = "notification"


class Kind(StrEnum):
    """What a notification is for (R5 subscription-notification-type)."""

    HANDSHAKE = "handshake"
    HEARTBEAT = "heartbeat"
    EVENT = "event-notification"
    STATUS = "query-status"
    QUERY = "query-event"


@dataclass(frozen=True, slots=True)
class Notification:
    """What was announced.

    Attributes:
        kind: what it is for.
        focuses: references to the resources that changed, as they were written; they prove nothing.
        last: number of the newest event since the Subscription began, or None where the form has no numbers.
        first: number of the first event in it; for a heartbeat the one that would come next.
        complete: whether it names every event that it is about: an empty R4 notification names none.
    """

    kind: Kind
    focuses: tuple[str, ...] = ()
    last: int | None = None
    first: int | None = None
    complete: bool = True


def read_notification(body: bytes) -> Notification:
    """Read what a server posted.

    Raises:
        FhirMalformed: it is none of the forms above.
    """
    if not body.strip():
        return Notification(Kind.EVENT, complete=False)
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        # The decoder's message quotes the document.
        raise FhirMalformed(_WHAT, "it is not JSON") from None
    if not isinstance(content, dict) or not as_text(content.get("resourceType")):
        raise FhirMalformed(_WHAT, "it is not a resource")
    return _read_bundle(content) if content["resourceType"] == "Bundle" else _read_resource(content)


def _read_resource(resource: Resource) -> Notification:
    """R4 with a payload, whichever was asked for: the changed resource itself, of which only the id is taken."""
    own_id = as_text(resource.get("id"))
    focuses = (f"{as_text(resource['resourceType'])}/{own_id}",) if own_id else ()
    return Notification(Kind.EVENT, focuses, complete=bool(focuses))


def _read_bundle(bundle: Resource) -> Notification:
    """The topic-based forms: the first entry tells what the notification is about."""
    first = next(dicts_of(bundle.get("entry")), {})
    status = as_dict(first.get("resource"))
    if status.get("resourceType") == "Parameters":
        status = _flatten(status)
    elif status.get("resourceType") != "SubscriptionStatus":
        raise FhirMalformed(_WHAT, "its first entry is no SubscriptionStatus")
    try:
        kind = Kind(as_text(status.get("type")))
    except ValueError:
        raise FhirMalformed(_WHAT, "its type is none that is known") from None
    return _read_status(kind, status)


def _read_status(kind: Kind, status: Resource) -> Notification:
    events = list(dicts_of(status.get("notificationEvent")))
    numbers = [number for event in events if (number := _number(event.get("eventNumber"))) is not None]
    total = _number(status.get("eventsSinceSubscriptionStart"))
    last = max(numbers, default=total)
    focuses = tuple(dict.fromkeys(filter(None, map(_focus, events[:MAX_EVENTS]))))
    return Notification(
        kind,
        focuses,
        last=last,
        first=min(numbers, default=None if last is None else last + 1 - _about(kind, events)),
        complete=kind is not Kind.EVENT or (bool(events) and all(map(_focus, events)) and len(events) <= MAX_EVENTS),
    )


def _about(kind: Kind, events: list[Resource]) -> int:
    """Return how many events a notification is about; one that lists none of them is about one."""
    return max(len(events), 1) if kind is Kind.EVENT else 0


def _focus(event: Resource) -> str:
    return as_text(as_dict(event.get("focus")).get("reference"))


def _number(value: object) -> int | None:
    """Read an integer64, which JSON carries as a string (R5) or, from other versions, as a number."""
    if isinstance(value, str) and value.isdecimal() and value.isascii() and len(value) < len(str(2**63)):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 else None


_NAMES: Final = {
    "type": "type",
    "events-since-subscription-start": "eventsSinceSubscriptionStart",
    "event-number": "eventNumber",
    "focus": "focus",
}
"""Parameter of the R4 backport (backport-subscription-status-r4) -> element of SubscriptionStatus."""


def _flatten(parameters: Resource) -> Resource:
    """Return Parameters as the SubscriptionStatus that they stand for."""
    parts = list(dicts_of(parameters.get("parameter")))
    events = [_named(dicts_of(part.get("part"))) for part in parts if part.get("name") == "notification-event"]
    return {**_named(iter(parts)), "notificationEvent": events}


def _named(parts: Iterator[Resource]) -> Resource:
    pairs = ((as_text(part.get("name")), part) for part in parts)
    return {_NAMES[name]: _value(part) for name, part in pairs if name in _NAMES}


def _value(part: Resource) -> object:
    return next((value for name, value in part.items() if name.startswith("value")), None)
