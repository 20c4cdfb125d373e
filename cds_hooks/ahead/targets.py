"""Settings and key -> what is watched: one target for each server and interest, with its address and its secret.

Nothing of it is stored: whoever holds the key of the service makes the same targets again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pydantic import SecretStr

from cds_hooks.crypto import Vault
from cds_hooks.settings import ServiceSettings
from fhir_adapter.errors import ServerNotAllowed
from fhir_adapter.rest.client import check_allowed
from fhir_adapter.settings import FhirSettings
from fhir_adapter.subscriptions.interests import INTERESTS, Interest
from fhir_adapter.subscriptions.resources import Wanted

PATH: Final = "/notifications"
KEY_LENGTH: Final = 32
"""Hexadecimal digits of the key in an address: 128 bits."""


class NotWatchable(ValueError):
    """The settings ask for something to be watched that cannot be."""


@dataclass(frozen=True, slots=True)
class Target:
    """One search on one server.

    Attributes:
        id: keyed hash of server and interest.
        server: base address.
        interest: what is searched for.
        secret: what a notification about it must bring along.
    """

    id: str
    server: str
    interest: Interest
    secret: SecretStr

    @property
    def key(self) -> str:
        """What names it in the address of its notifications."""
        return self.id[:KEY_LENGTH]

    def wanted(self, settings: ServiceSettings) -> Wanted:
        """Return the Subscription that tells of it."""
        topic = settings.watch.topics.get(self.interest.name, "")
        return Wanted(self.interest, settings.url(f"{PATH}/{self.key}"), self.secret, topic)


def targets_of(settings: ServiceSettings, vault: Vault) -> tuple[Target, ...]:
    """Return what the settings ask to be watched."""
    return tuple(_target(vault, server, interest) for server in settings.watch.bases for interest in INTERESTS)


def _target(vault: Vault, server: str, interest: Interest) -> Target:
    names = (server, interest.name)
    return Target(vault.mark("watch", *names), server, interest, SecretStr(vault.mark("notification", *names)))


def check_watched(settings: ServiceSettings, fhir: FhirSettings) -> None:
    """Refuse settings that watch a server which may not be contacted, or name topics of no interest.

    Raises:
        NotWatchable: with a sentence that names the setting.
    """
    try:
        for server in settings.watch.bases:
            check_allowed(server, fhir)
    except ServerNotAllowed as error:
        raise NotWatchable(f"CDS_WATCH_SERVERS: {error}.") from None
    names = {interest.name for interest in INTERESTS}
    if not names.issuperset(settings.watch.topics):
        raise NotWatchable(f"CDS_WATCH_TOPICS names something else than {', '.join(sorted(names))}.")
