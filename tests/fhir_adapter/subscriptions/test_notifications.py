from __future__ import annotations

from typing import Any

import orjson
import pytest

from fhir_adapter.errors import FhirMalformed
from fhir_adapter.subscriptions.notifications import MAX_EVENTS, Kind, Notification, read_notification
from tests.fhir_adapter.builders import observation

FOCUS = "Observation/crp-1"


def status(kind: str = "event-notification", *events: Any, **changes: Any) -> dict[str, Any]:
    """R4B and R5: SubscriptionStatus."""
    resource = {
        "resourceType": "SubscriptionStatus",
        "type": kind,
        "status": "active",
        "subscription": {"reference": "Subscription/1"},
        "notificationEvent": list(events),
        **changes,
    }
    return {name: value for name, value in resource.items() if value is not ...}


def event(number: Any = "2", focus: str = FOCUS) -> dict[str, Any]:
    return {"eventNumber": number, "focus": {"reference": focus}}


def parameters(kind: str = "event-notification", *events: dict[str, Any], total: Any = "2") -> dict[str, Any]:
    """R4: Parameters of the backport (backport-subscription-status-r4)."""
    parts = [
        {"name": "subscription", "valueReference": {"reference": "Subscription/1"}},
        {"name": "status", "valueCode": "active"},
        {"name": "type", "valueCode": kind},
        {"name": "events-since-subscription-start", "valueString": total},
        *({"name": "notification-event", "part": _parts(each)} for each in events),
    ]
    return {"resourceType": "Parameters", "parameter": parts}


def _parts(each: dict[str, Any]) -> list[dict[str, Any]]:
    number = {"name": "event-number", "valueString": each["eventNumber"]}
    moment = {"name": "timestamp", "valueInstant": "2026-11-24T09:00:00Z"}
    return [number, moment, {"name": "focus", "valueReference": each["focus"]}]


def posted(*resources: Any, kind: str = "subscription-notification") -> bytes:
    entries = [{"fullUrl": "urn:uuid:1", "resource": resource} for resource in resources]
    return orjson.dumps({"resourceType": "Bundle", "type": kind, "entry": entries})


@pytest.mark.parametrize("body", [b"", b"  \n"])
def test_empty_notification_names_nothing(body: bytes) -> None:
    """R4 without payload: something happened, and not what."""
    assert read_notification(body) == Notification(Kind.EVENT, complete=False)


@pytest.mark.parametrize(
    "body",
    [
        posted(parameters("event-notification", event()), kind="history"),
        posted(status("event-notification", event(2), eventsSinceSubscriptionStart="2"), kind="history"),
        posted(status("event-notification", event("2"), eventsSinceSubscriptionStart="2"), observation()),
    ],
    ids=["R4", "R4B", "R5"],
)
def test_event_is_read_in_each_form(body: bytes) -> None:
    """An event gives its number and the reference to what changed; an included resource is not looked at."""
    assert read_notification(body) == Notification(Kind.EVENT, (FOCUS,), last=2, first=2)


def test_resource_as_payload_gives_its_id_only() -> None:
    """R4 with payload: of the resource nothing is believed but that it exists."""
    assert read_notification(orjson.dumps(observation())) == Notification(Kind.EVENT, (FOCUS,))


@pytest.mark.parametrize(
    ("kind", "total", "first"), [("handshake", "0", 1), ("heartbeat", "7", 8), ("query-status", "7", 8)]
)
def test_notification_without_event_tells_which_would_be_next(kind: str, total: str, first: int) -> None:
    """Handshake, heartbeat and status carry the number of events so far, by which a missed one is noticed."""
    found = read_notification(posted(parameters(kind, total=total)))

    assert (found.kind, found.last, found.first, found.complete) == (Kind(kind), int(total), first, True)


@pytest.mark.parametrize(
    ("notification", "first", "last", "complete"),
    [
        (status("event-notification", event(5), event(6)), 5, 6, True),
        (status("event-notification", eventsSinceSubscriptionStart="6"), 6, 6, False),
        (status("event-notification", notificationEvent=...), None, None, False),
        (status("event-notification", notificationEvent={"eventNumber": 1}), None, None, False),
        (status("event-notification", event("many")), None, None, True),
        (status("event-notification", event([])), None, None, True),
        (status("event-notification", event(-1)), None, None, True),
        (status("event-notification", event("9" * 40)), None, None, True),
        (status("event-notification", {"eventNumber": "3"}), 3, 3, False),
        (status("event-notification", event(1), "not an event", {"focus": []}), 1, 1, False),
        (status("event-notification", *map(event, range(MAX_EVENTS + 1))), 0, MAX_EVENTS, False),
        (status("event-notification", event(...), event(...), eventsSinceSubscriptionStart=9), 8, 9, True),
    ],
)
def test_numbers_and_completeness(notification: dict[str, Any], first: Any, last: Any, complete: bool) -> None:  # noqa: FBT001
    """Numbers come as strings or integers; what names less than it is about is not complete."""
    events = notification.get("notificationEvent")
    for each in events if isinstance(events, list) else ():
        if isinstance(each, dict) and each.get("eventNumber") is ...:
            del each["eventNumber"]
    found = read_notification(posted(notification))

    assert (found.first, found.last, found.complete) == (first, last, complete)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>", b"[]", b"null", b'{"id": "1"}', b'{"resourceType": 3}', b"{" * 100_000,
        posted(), posted("x"), posted(observation()), posted(status("gossip")), posted(status("")), posted(None),
        posted({"resourceType": "Parameters"}), posted({"resourceType": "Parameters", "parameter": "x"}),
        orjson.dumps({"resourceType": "Bundle", "entry": "x"}), orjson.dumps({"resourceType": "Bundle"}),
    ],
)  # fmt: skip
def test_anything_else_is_refused_without_being_quoted(body: bytes) -> None:
    """What is no notification is an error whose message says nothing of the content."""
    with pytest.raises(FhirMalformed, match="notification: it") as caught:
        read_notification(body)
    assert "crp" not in str(caught.value)
