"""Patients of whom there is news -> those whose case the site wants computed ahead."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from typing import Final

from cds_hooks.ahead.access import OwnAccess
from cds_hooks.ahead.settings import WatchSettings
from cds_hooks.store.opening import Store
from fhir_adapter.deadline import Deadline
from fhir_adapter.references import split_reference
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.shape import Resource, as_dict, as_text, dicts_of

LIST_FOR_S: Final = 300.0
"""How long the members of a list are remembered."""


class Whom:
    """Chooses by the rule of the settings."""

    def __init__(self, settings: WatchSettings, store: Store, access: OwnAccess) -> None:
        self._settings = settings
        self._store = store
        self._access = access
        self._members: dict[str, tuple[float, frozenset[str]]] = {}

    async def wanted(self, server: str, patient_ids: Collection[str], deadline: Deadline) -> frozenset[str]:
        """Return those of some patients of a server whose case is to be computed.

        Raises:
            FhirError: a list of patients could not be read.
            SQLAlchemyError: the database is down.
        """
        if not patient_ids or self._settings.whom == "all":
            return frozenset(patient_ids)
        if self._settings.whom == "list":
            return frozenset(patient_ids) & await self._listed(server, deadline)
        return await asyncio.to_thread(self._opened, server, patient_ids)

    def _opened(self, server: str, patient_ids: Collection[str]) -> frozenset[str]:
        """Compare keyed hashes: more than those is not known here of who was asked about."""
        marks = {self._store.vault.mark("patient", server, patient_id): patient_id for patient_id in patient_ids}
        since = self._store.clock() - self._settings.opened_within
        return frozenset(marks[mark] for mark in self._store.ahead.opened(tuple(marks), since))

    async def _listed(self, server: str, deadline: Deadline) -> frozenset[str]:
        read_at, members = self._members.get(server, (-LIST_FOR_S, frozenset()))
        if time.monotonic() - read_at < LIST_FOR_S:
            return members
        client = self._access.client(server)
        found = await asyncio.gather(*(_read_list(client, each, deadline) for each in self._settings.lists))
        members = frozenset().union(*found)
        self._members[server] = (time.monotonic(), members)
        return members


async def _read_list(client: FhirClient, reference: str, deadline: Deadline) -> frozenset[str]:
    kind, own_id = split_reference(reference) or ("", "")
    return members_of(await client.read(kind, own_id, deadline), client.base_url)


def members_of(resource: Resource, base_url: str) -> frozenset[str]:
    """Return the patients of a Group (member.entity) or List (entry.item), R4 to R5, who have not been taken off it."""
    members = [as_dict(each.get("entity")) for each in dicts_of(resource.get("member")) if not each.get("inactive")]
    items = [as_dict(each.get("item")) for each in dicts_of(resource.get("entry")) if not each.get("deleted")]
    references = (split_reference(as_text(each.get("reference")), base_url) for each in (*members, *items))
    return frozenset(found[1] for found in references if found is not None and found[0] == "Patient")
