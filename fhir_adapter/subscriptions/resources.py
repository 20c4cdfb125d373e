"""What we want to be told -> a Subscription resource: R4 by criteria, R4 and R4B by topic (backport), R5. No network.

Whatever the form, no notification carries patient data: it is empty, or holds ids. It is a nudge; what it is about is
read from the server, with our own access.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from pydantic import SecretStr

from fhir_adapter.media_types import FHIR_JSON
from fhir_adapter.rest.capabilities import FhirVersion
from fhir_adapter.shape import Resource
from fhir_adapter.subscriptions.interests import Interest

BACKPORT: Final = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"
"""Base of the profiles and extensions of the Subscriptions R5 Backport guide (1.1.0)."""
CHANNEL_TYPES: Final = "http://terminology.hl7.org/CodeSystem/subscription-channel-type"
HEARTBEAT_S: Final = 3600
"""How often a server is asked to say that nothing happened: a silent one cannot be told from a broken one."""
REASON: Final = "mllm-cds computes the case of a patient ahead when new results arrive."


class TopicMissing(ValueError):
    """R5 knows only subscriptions to a topic, and none is set for this interest."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One Subscription that a server should have.

    Attributes:
        interest: what it is about.
        endpoint: where notifications are sent; by it the Subscription is found again.
        secret: sent back to us as bearer token with every notification.
        topic: canonical of a SubscriptionTopic of that server; empty for criteria (R4, R4B).
    """

    interest: Interest
    endpoint: str
    secret: SecretStr
    topic: str = ""

    @property
    def credentials(self) -> str:
        """Value of the Authorization header (RFC 6750)."""
        return f"Bearer {self.secret.get_secret_value()}"


def build_subscription(wanted: Wanted, version: FhirVersion) -> Resource:
    """Return the resource in the form of a FHIR version; it holds the secret.

    Raises:
        TopicMissing: R5, and no topic.
    """
    if version is FhirVersion.R5:
        return _topic_based(wanted)
    return _backport(wanted) if wanted.topic else _by_criteria(wanted)


def _by_criteria(wanted: Wanted) -> Resource:
    """R4 Subscription; without `channel.payload` the notification has no body."""
    channel = {"type": "rest-hook", "endpoint": wanted.endpoint, "header": [f"Authorization: {wanted.credentials}"]}
    return {**_common(), "criteria": wanted.interest.criteria, "channel": channel}


def _backport(wanted: Wanted) -> Resource:
    """R4 and R4B: profile backport-subscription, with the R5 elements as extensions."""
    resource = _by_criteria(wanted) | {
        "meta": {"profile": [f"{BACKPORT}/backport-subscription"]},
        "criteria": wanted.topic,
    }
    if wanted.interest.filters:
        resource["_criteria"] = _extension("backport-filter-criteria", valueString=wanted.interest.criteria)
    resource["channel"] |= {
        **_extension("backport-heartbeat-period", valueUnsignedInt=HEARTBEAT_S),
        "payload": FHIR_JSON,
        "_payload": _extension("backport-payload-content", valueCode="id-only"),
    }
    return resource


def _extension(name: str, **value: object) -> dict[str, Any]:
    return {"extension": [{"url": f"{BACKPORT}/{name}", **value}]}


def _topic_based(wanted: Wanted) -> Resource:
    """R5 Subscription."""
    if not wanted.topic:
        raise TopicMissing(f"R5 has subscriptions to topics only: name one for {wanted.interest.name}")
    resource = _common() | {
        "topic": wanted.topic,
        "channelType": {"system": CHANNEL_TYPES, "code": "rest-hook"},
        "endpoint": wanted.endpoint,
        "parameter": [{"name": "Authorization", "value": wanted.credentials}],
        "heartbeatPeriod": HEARTBEAT_S,
        "contentType": FHIR_JSON,
        "content": "id-only",
    }
    filters = [
        {"resourceType": wanted.interest.resource_type, "filterParameter": name, "value": value}
        for name, value in wanted.interest.filters
    ]
    return resource | ({"filterBy": filters} if filters else {})


def _common() -> Resource:
    return {"resourceType": "Subscription", "status": "requested", "reason": REASON}
