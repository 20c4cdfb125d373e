from __future__ import annotations

from typing import Any

import pytest
from fhir.resources.R4B.subscription import Subscription as R4BSubscription
from fhir.resources.subscription import Subscription as R5Subscription
from pydantic import SecretStr

from fhir_adapter.rest.capabilities import FhirVersion
from fhir_adapter.subscriptions.interests import Interest
from fhir_adapter.subscriptions.resources import BACKPORT, TopicMissing, Wanted, build_subscription

TOPIC = "https://ehr.example.org/SubscriptionTopic/results"
LABS = Interest("labs", "Observation", (("category", "laboratory"),))
NOTES = Interest("notes", "DocumentReference")
ENDPOINT = "https://cds.example.org/notifications/abc"


def wanted(interest: Interest = LABS, topic: str = "") -> Wanted:
    return Wanted(interest, ENDPOINT, SecretStr("s3cret"), topic)


def extensions(element: dict[str, Any]) -> dict[str, Any]:
    """Name of each backport extension -> its value."""
    found = {}
    for extension in element["extension"]:
        name, value = extension["url"].removeprefix(f"{BACKPORT}/"), [*extension.values()][1]
        found[name] = value
    return found


def test_criteria_subscription_asks_for_an_empty_notification() -> None:
    """R4: the criteria, our address and secret, and no payload, so that nothing of a patient is on the wire."""
    resource = build_subscription(wanted(), FhirVersion.R4)

    assert resource["criteria"] == "Observation?category=laboratory"
    assert resource["channel"] == {
        "type": "rest-hook",
        "endpoint": ENDPOINT,
        "header": ["Authorization: Bearer s3cret"],
    }


@pytest.mark.parametrize("version", [FhirVersion.R4, FhirVersion.R4B])
def test_topic_on_r4_is_the_backport(version: FhirVersion) -> None:
    """R4 and R4B with a topic: the profile, the topic as criteria, the filter as extension, ids only."""
    resource = build_subscription(wanted(topic=TOPIC), version)

    assert (resource["meta"]["profile"], resource["criteria"]) == ([f"{BACKPORT}/backport-subscription"], TOPIC)
    assert extensions(resource["_criteria"]) == {"backport-filter-criteria": "Observation?category=laboratory"}
    assert extensions(resource["channel"]["_payload"]) == {"backport-payload-content": "id-only"}


def test_r5_names_topic_filter_and_content() -> None:
    """R5: topic, one filterBy for each search parameter, the secret as parameter of the channel, ids only."""
    resource = build_subscription(wanted(topic=TOPIC), FhirVersion.R5)

    assert (resource["topic"], resource["content"], resource["channelType"]["code"]) == (TOPIC, "id-only", "rest-hook")
    assert resource["filterBy"] == [
        {"resourceType": "Observation", "filterParameter": "category", "value": "laboratory"}
    ]
    assert resource["parameter"] == [{"name": "Authorization", "value": "Bearer s3cret"}]


@pytest.mark.parametrize("version", list(FhirVersion))
def test_no_filter_is_left_out(version: FhirVersion) -> None:
    """An interest in all of a type has no filter, rather than an empty one."""
    resource = build_subscription(wanted(NOTES, TOPIC), version)

    assert not {"filterBy", "_criteria"} & resource.keys()


def test_r5_without_topic_is_said() -> None:
    """R5 knows no criteria: without a topic there is a sentence that names the interest."""
    with pytest.raises(TopicMissing, match="labs"):
        build_subscription(wanted(), FhirVersion.R5)


@pytest.mark.parametrize("topic", ["", TOPIC])
@pytest.mark.parametrize("interest", [LABS, NOTES])
@pytest.mark.parametrize("version", list(FhirVersion))
def test_form_is_that_of_the_version(interest: Interest, topic: str, version: FhirVersion) -> None:
    """Every form passes the published definition of its FHIR version (R4 and R4B are alike here)."""
    model: Any = R5Subscription if version is FhirVersion.R5 else R4BSubscription
    resource = build_subscription(wanted(interest, topic or TOPIC * (version is FhirVersion.R5)), version)

    assert model.model_validate(resource).model_dump(exclude_none=True)["status"] == "requested"


def test_secret_does_not_print() -> None:
    """What is wanted can be logged without its secret."""
    assert "s3cret" not in repr(wanted())
