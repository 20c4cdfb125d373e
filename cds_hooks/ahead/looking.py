"""One look at a server for news, from where the last one stopped: who is concerned is noted, and where to go on."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from cds_hooks.ahead.access import OwnAccess
from cds_hooks.ahead.targets import Target
from cds_hooks.ahead.whom import Whom
from cds_hooks.log import get_logger
from cds_hooks.settings import ServiceSettings
from cds_hooks.store.opening import Store
from cds_hooks.store.watches import Look
from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import FhirError
from fhir_adapter.subscriptions.news import CLOCKS_DIFFER, Change, News, find_news, patients_of

LOOK_WITHIN_S: Final = 60.0
LONGEST_S: Final = 3600.0
"""The longest pause between two looks at a server that fails."""
log = get_logger()


class Lookout:
    """Looks at servers when it is time to; whichever process is first does it."""

    def __init__(
        self,
        settings: ServiceSettings,
        store: Store,
        access: OwnAccess,
        whom: Whom,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Take what it works with; `chance` (0 to 1) spreads the looks after a failure."""
        self._settings = settings.watch
        self._overlap = timedelta(seconds=settings.watch.overlap_s)
        # After a pause of days, nobody is served by what would be too old before anyone looks.
        self._look_back = settings.result_lifetime + settings.watch.keep_fresh
        self._store = store
        self._access = access
        self._whom = whom
        self._chance = chance
        self._holder = uuid.uuid4().hex

    async def look(self, target: Target) -> bool:
        """Look for news of one target if it is time, and say whether it was.

        Raises:
            SQLAlchemyError: the database is down.
        """
        look = await asyncio.to_thread(self._store.watches.begin, target.id, self._holder)
        if look is None:
            return False
        deadline = Deadline.after(LOOK_WITHIN_S)
        now = self._store.clock()
        latest = now + CLOCKS_DIFFER
        since = min(max(look.since, now - self._look_back), latest)
        try:
            client = self._access.client(target.server)
            news = (await find_news(client, target.interest, since, self._overlap, deadline)).up_to(latest)
            fresh = [change for change in news.changes if self._mark(change) not in look.seen]
            count = await self.note(target.server, patients_of(fresh), deadline)
        except FhirError as error:
            await asyncio.to_thread(self._store.watches.fail, look, self._after_failure(look))
            log.warning(
                "watch_failed", part=target.interest.name, error=type(error).__name__, attempt=look.failures + 1
            )
            return True
        await asyncio.to_thread(self._end, look, news, since)
        log.info("watched", part=target.interest.name, count=count, state="complete" if news.complete else "cut")
        return True

    async def note(self, server: str, patient_ids: tuple[str, ...], deadline: Deadline) -> int:
        """Note those patients whom the site wants computed, and return how many they are.

        Raises:
            FhirError: it cannot be told who is wanted.
            SQLAlchemyError: the database is down.
        """
        wanted = await self._whom.wanted(server, patient_ids, deadline)
        for patient_id in wanted:
            await asyncio.to_thread(self._store.ahead.note, server, patient_id)
        return len(wanted)

    def _end(self, look: Look, news: News, since: datetime) -> None:
        next_since = news.next_since(since)
        # The next look meets these again. In the order of the server, so that the newest are those that are kept.
        again = [each for each in news.changes if each.at is None or each.at >= next_since - self._overlap]
        next_at = self._next_at(self._pause_s if news.complete else 0.0)
        self._store.watches.succeed(look, next_since, map(self._mark, again), next_at)

    @property
    def _pause_s(self) -> float:
        return self._settings.every_s if self._settings.by == "poll" else self._settings.catch_up_s

    def _after_failure(self, look: Look) -> datetime:
        """Twice as long after each failure, and never the same for two processes or servers."""
        longest = min(self._pause_s * 2.0 ** min(look.failures, 16), max(LONGEST_S, self._pause_s))
        return self._next_at(longest * (0.5 + self._chance() / 2))

    def _next_at(self, seconds: float) -> datetime:
        return self._store.clock() + timedelta(seconds=seconds)

    def _mark(self, change: Change) -> str:
        return self._store.vault.mark("version", change.version)[:16]
