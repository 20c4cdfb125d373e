"""The background of a web process: notifications followed, servers looked at, cases computed, each in its own time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError

from cds_hooks.ahead.access import OwnAccess
from cds_hooks.ahead.computing import Computer
from cds_hooks.ahead.looking import Lookout
from cds_hooks.ahead.receiving import Receiver
from cds_hooks.ahead.targets import Target, targets_of
from cds_hooks.ahead.whom import Whom
from cds_hooks.log import get_logger
from cds_hooks.parts import Parts
from cds_hooks.right_of_way import Stopped
from fhir_adapter.subscriptions.notifications import Notification

TICK_S: Final = 1.0
"""How often it is looked whether anything is to be done."""
INBOX: Final = 1000
"""Notifications that may wait; what comes beyond is found by the next look."""
log = get_logger()


class Watching:
    """What a process does about fresh results; each method does what is to be done now, and ends."""

    def __init__(self, parts: Parts, access: OwnAccess) -> None:
        self.targets = {target.key: target for target in targets_of(parts.settings, parts.store.vault)}
        whom = Whom(parts.settings.watch, parts.store, access)
        self._lookout = Lookout(parts.settings, parts.store, access, whom)
        self._receiver = Receiver(parts.store, access, self._lookout)
        self._computer = Computer(parts, access)
        self._inbox: asyncio.Queue[tuple[Target, Notification]] = asyncio.Queue(INBOX)
        self._pause_s = 60.0 / parts.settings.watch.per_minute

    def put(self, target: Target, notification: Notification) -> bool:
        """Take a notification to be followed up later; False where too many wait already."""
        try:
            self._inbox.put_nowait((target, notification))
        except asyncio.QueueFull:
            log.warning("notification_dropped", part=target.interest.name)
            return False
        return True

    async def follow(self) -> None:
        """Follow the notifications that have come."""
        while not self._inbox.empty():
            await self._receiver.follow(*self._inbox.get_nowait())

    async def look(self) -> None:
        """Look at each server whose time has come; one that is slow holds up no other."""
        await asyncio.gather(*map(self._look_at, {target.server for target in self.targets.values()}))

    async def _look_at(self, server: str) -> None:
        for target in self.targets.values():
            if target.server == server:
                await self._lookout.look(target)

    async def compute(self) -> bool:
        """Compute one case that is due; False where none is."""
        return await self._computer.compute_next() is not None

    async def run(self, ready: Awaitable[None]) -> None:
        """Go on until cancelled, from when the database is ready."""
        await ready
        await asyncio.gather(_again(self.follow), _again(self.look), _again(self.compute, self._pause_s))


async def _again(work: Callable[[], Coroutine[Any, Any, object]], busy_s: float = TICK_S) -> None:
    """Do some work for ever, with a pause each time; `busy_s` is the pause after it said that it did something."""
    while True:
        pause_s = TICK_S
        try:
            if await work():
                pause_s = busy_s
        except SQLAlchemyError:
            log.exception("database_down", part="database")
        except Stopped:
            return
        except Exception:
            # The edge of a task that runs for as long as the service: one bad answer must not end it.
            log.exception("watching_failed", part="watch")
        await asyncio.sleep(pause_s)


@asynccontextmanager
async def watching(parts: Parts, ready: Awaitable[None]) -> AsyncIterator[Watching]:
    """Watch the servers of the settings for as long as the context lasts."""
    watch = Watching(parts, OwnAccess(parts.http, parts.fhir))
    task = asyncio.create_task(watch.run(ready))
    try:
        yield watch
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
