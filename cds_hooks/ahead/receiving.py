"""Notification -> the patients whom it concerns, read from its server with the service's own access."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Final

from cds_hooks.ahead.access import OwnAccess
from cds_hooks.ahead.looking import Lookout
from cds_hooks.ahead.targets import Target
from cds_hooks.log import get_logger
from cds_hooks.store.opening import Store
from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import FhirError, FhirGone
from fhir_adapter.references import split_reference
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.subscriptions.news import Change, change_of, patients_of
from fhir_adapter.subscriptions.notifications import Kind, Notification

READ_MOST: Final = 50
"""Resources read because of one notification; of more, a search tells sooner."""
READ_WITHIN_S: Final = 30.0
AT_ONCE: Final = 5
log = get_logger()


class Receiver:
    """Follows up what servers announce. A notification that does not name everything only makes the next look begin."""

    def __init__(self, store: Store, access: OwnAccess, lookout: Lookout) -> None:
        self._store = store
        self._access = access
        self._lookout = lookout

    async def follow(self, target: Target, notification: Notification) -> None:
        """Note whom a notification concerns.

        Raises:
            SQLAlchemyError: the database is down.
        """
        missed, known = await asyncio.to_thread(self._count, target, notification)
        if known or notification.kind is not Kind.EVENT:
            if missed:
                await self._hurry(target)
            log.info("notified", part=target.interest.name, state=notification.kind, reason="missed" if missed else "")
            return
        named = _ids_of(notification.focuses, target)
        if missed or not notification.complete or len(named) > READ_MOST or not await self._read(target, named):
            await self._hurry(target)
        log.info("notified", part=target.interest.name, state=notification.kind, count=len(named))

    def _count(self, target: Target, notification: Notification) -> tuple[bool, bool]:
        """Say whether events before this notification were missed, and whether it was here before itself."""
        if notification.last is None or notification.first is None:
            return False, False
        before = self._store.watches.count_events(target.id, notification.last)
        if before is None:
            return False, False
        # A smaller number is either an old notification sent again, or of a Subscription that was made anew.
        return notification.first > before + 1, notification.kind is Kind.EVENT and notification.last == before

    async def _hurry(self, target: Target) -> None:
        await asyncio.to_thread(self._store.watches.hurry, target.id)

    async def _read(self, target: Target, ids: Collection[str]) -> bool:
        """Read the resources that were named and note their patients; False where that was not to be had."""
        deadline, turn = Deadline.after(READ_WITHIN_S), asyncio.Semaphore(AT_ONCE)
        try:
            client = self._access.client(target.server)
            changes = await asyncio.gather(*(_read_change(client, target, each, turn, deadline) for each in ids))
            await self._lookout.note(target.server, patients_of(filter(None, changes)), deadline)
        except FhirError as error:
            log.warning("notification_not_followed", part=target.interest.name, error=type(error).__name__)
            return False
        return True


def _ids_of(focuses: Collection[str], target: Target) -> tuple[str, ...]:
    """Return the ids among the references that are of the type which was subscribed to, on this server."""
    found = (split_reference(focus, target.server) for focus in focuses)
    wanted = target.interest.resource_type
    return tuple(dict.fromkeys(each[1] for each in found if each is not None and each[0] == wanted))


async def _read_change(
    client: FhirClient, target: Target, own_id: str, turn: asyncio.Semaphore, deadline: Deadline
) -> Change | None:
    async with turn:
        try:
            resource = await client.read(target.interest.resource_type, own_id, deadline)
        except FhirGone:
            return None  # Deleted since: whose it was cannot be told any more.
    return change_of(resource, client.base_url) if target.interest.covers(resource) else None
