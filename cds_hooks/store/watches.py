"""How far each server has been searched for news: one process at a time goes on from where the last one stopped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from cds_hooks.crypto import Vault
from cds_hooks.settings import ServiceSettings
from cds_hooks.store.database import Database
from cds_hooks.store.states import Clock
from cds_hooks.store.tables import Moment, watches

LEASE: Final = timedelta(minutes=2)
"""For how long a look belongs to the process that began it; a look ends long before."""
SEEN_MOST: Final = 5000
"""Versions remembered between two looks."""


@dataclass(frozen=True, slots=True)
class Look:
    """A search that this process, and no other, is to make now.

    Attributes:
        since: moment of the server's clock up to which it has been searched.
        seen: marks of the versions that were seen at the end of the last look.
        failures: looks that failed one after the other, this one not counted.
        until: end of the lease; the next look stands at it until this one has ended, unless one is asked for sooner.
    """

    watch_id: str
    holder: str
    since: datetime
    seen: frozenset[str]
    failures: int
    until: datetime


class WatchStore:
    """Where each watch stands."""

    def __init__(self, database: Database, vault: Vault, settings: ServiceSettings, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._overlap = timedelta(seconds=settings.watch.overlap_s)
        self._clock = clock

    def begin(self, watch_id: str, holder: str) -> Look | None:
        """Take the next look at a server in hand; None where it is not time yet, or another process has it.

        The first look of all begins at the present moment: what is on file already is not news.
        """
        now = self._clock()
        until = now + LEASE
        self._make(watch_id, now)
        free = sa.or_(watches.c.held_until.is_(None), watches.c.held_until <= now)
        mine = sa.update(watches).where(watches.c.id == watch_id, watches.c.next_at <= now, free)
        query = sa.select(watches.c.since, watches.c.seen_sealed, watches.c.failures).where(watches.c.id == watch_id)
        with self._database.write() as connection:
            if connection.execute(mine.values(holder=holder, held_until=until, next_at=until)).rowcount != 1:
                return None
            row = connection.execute(query).one()
        seen = orjson.loads(self._vault.open(row.seen_sealed)) if row.seen_sealed else ()
        return Look(watch_id, holder, row.since, frozenset(seen), row.failures, until)

    def _make(self, watch_id: str, now: datetime) -> None:
        with self._database.read() as connection:
            if connection.execute(sa.select(watches.c.id).where(watches.c.id == watch_id)).first() is not None:
                return
        try:
            with self._database.write() as connection:
                connection.execute(sa.insert(watches).values(id=watch_id, since=now, failures=0, next_at=now))
        except IntegrityError:
            return  # Another process was first.

    def succeed(self, look: Look, since: datetime, seen: Iterable[str], next_at: datetime) -> bool:
        """End a look; False where it took so long that another process has begun the next one."""
        kept = self._vault.seal(orjson.dumps(list(seen)[-SEEN_MOST:]))
        return self._end(look, next_at, {"since": since, "seen_sealed": kept, "failures": 0})

    def fail(self, look: Look, next_at: datetime) -> None:
        """End a look that brought nothing."""
        self._end(look, next_at, {"failures": look.failures + 1})

    def _end(self, look: Look, next_at: datetime, values: dict[str, Any]) -> bool:
        mine = sa.update(watches).where(watches.c.id == look.watch_id, watches.c.holder == look.holder)
        # What was told of during a look may have come too late for it.
        unhurried = (watches.c.next_at == look.until, sa.literal(next_at, Moment()))
        moment = sa.case(unhurried, else_=watches.c.next_at)
        with self._database.write() as connection:
            return connection.execute(mine.values(holder=None, held_until=None, next_at=moment, **values)).rowcount == 1

    def hurry(self, watch_id: str) -> None:
        """Have the next look begin now."""
        now = self._clock()
        self._make(watch_id, now)
        with self._database.write() as connection:
            connection.execute(sa.update(watches).where(watches.c.id == watch_id).values(next_at=now))

    def count_events(self, watch_id: str, last: int) -> int | None:
        """Note the number of the newest event that was told, and return that of the one before."""
        self._make(watch_id, self._clock())
        query = sa.select(watches.c.events).where(watches.c.id == watch_id).with_for_update()
        with self._database.write() as connection:
            before: int | None = connection.execute(query).scalar()
            connection.execute(sa.update(watches).where(watches.c.id == watch_id).values(events=last))
        return before
