from __future__ import annotations

from typing import Any

import pytest
from pydantic import HttpUrl

from cds_hooks.ahead.settings import WatchSettings
from cds_hooks.ahead.targets import NotWatchable, check_watched, targets_of
from cds_hooks.app import create_app
from cds_hooks.crypto import Vault
from fhir_adapter.settings import FhirSettings
from fhir_adapter.subscriptions.interests import INTERESTS
from tests.cds_hooks.fakes import FakePipeline, make_engine, make_settings
from tests.cds_hooks.samples import SERVER

VAULT = Vault("s" * 40)
OTHER = "https://other.example.org/fhir"
ALLOWED = FhirSettings(allowed_servers=(HttpUrl(SERVER),))


def watched(*servers: str, **changes: Any) -> Any:
    return make_settings(watch=WatchSettings(servers=servers, **changes))


def test_each_interest_of_each_server_has_its_own() -> None:
    """No two targets share id, key or secret."""
    targets = targets_of(watched(SERVER, OTHER), VAULT)

    assert len(targets) == 2 * len(INTERESTS)
    assert len({each.id for each in targets} | {each.secret.get_secret_value() for each in targets}) == 2 * len(targets)


def test_targets_are_the_same_in_every_process() -> None:
    """Web replicas and the command that registers agree, without anything being stored; another key does not."""
    settings = watched(SERVER)

    assert targets_of(settings, VAULT) == targets_of(settings, Vault("s" * 40))
    assert not set(targets_of(settings, VAULT)) & set(targets_of(settings, Vault("t" * 40)))


def test_notifications_come_to_the_public_address() -> None:
    """A Subscription sends to where the outside reaches the service, and nothing in the address tells of the server."""
    settings = watched(SERVER, topics={"labs": "https://t"})
    wanted = {each.interest.name: each.wanted(settings) for each in targets_of(settings, VAULT)}

    assert wanted["labs"].endpoint.startswith("http://127.0.0.1:8000/notifications/")
    assert (wanted["labs"].topic, wanted["notes"].topic) == ("https://t", "")


def test_server_that_is_not_allowed_is_not_watched() -> None:
    """What may not be asked is refused when the service starts, with the setting to change."""
    with pytest.raises(NotWatchable, match="FHIR_ALLOWED_SERVERS"):
        create_app(watched(OTHER), ALLOWED, engine=make_engine(FakePipeline()))


def test_topic_of_nothing_is_refused() -> None:
    """A topic for what is not watched is a spelling mistake."""
    with pytest.raises(NotWatchable, match="CDS_WATCH_TOPICS"):
        check_watched(watched(SERVER, topics={"lab": "https://t"}), ALLOWED)
