"""Expiry of what is stored, and the signs of life of the workers."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import sqlalchemy as sa

from cds_hooks.settings import ServiceSettings
from cds_hooks.store.audit import Entry, write_entry
from cds_hooks.store.checks import give_up
from cds_hooks.store.database import Database
from cds_hooks.store.jobs import OPEN
from cds_hooks.store.states import Clock, Failure, JobState
from cds_hooks.store.tables import ahead, audit, cards, jobs, pages, workers

FORGOTTEN_AFTER: Final = timedelta(hours=1)
"""A worker that has been silent for this long is gone for good."""


ALIVE_FOR: Final = timedelta(seconds=30)
"""A worker gives a sign of life every 10 s; after three that are missing it counts as gone."""


class Upkeep:
    """What nobody waits for."""

    def __init__(self, database: Database, settings: ServiceSettings, clock: Clock) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock

    def purge(self) -> int:
        """Delete what has expired, and inputs whose job or check has lost its worker; return the number of rows."""
        now = self._clock()
        lost = sa.update(jobs).where(jobs.c.state.in_(OPEN), jobs.c.lost_at <= now)
        statements = (
            lost.values(state=JobState.FAILED, reason=Failure.TIME, inputs_sealed=None),
            give_up(now, self._settings.result_lifetime),
            sa.delete(pages).where(pages.c.expires_at <= now),
            sa.delete(jobs).where(jobs.c.expires_at <= now),  # and with them results and pages
            sa.delete(cards).where(cards.c.expires_at <= now),  # and with them feedback
            sa.delete(audit).where(audit.c.at <= now - self._settings.audit_retention),
            sa.delete(ahead).where(ahead.c.expires_at <= now),
            sa.delete(workers).where(workers.c.seen_at <= now - FORGOTTEN_AFTER),
        )
        with self._database.write() as connection:
            return sum(connection.execute(statement).rowcount for statement in statements)

    def record(self, entry: Entry) -> None:
        """Add one row to the audit trail."""
        with self._database.write() as connection:
            write_entry(connection, self._clock(), entry)

    def beat(self, worker_id: str, model: str, *, model_ready: bool) -> None:
        """Note that a worker is alive, and whether its model answers."""
        values = {"seen_at": self._clock(), "model_ready": model_ready, "model": model}
        update = sa.update(workers).where(workers.c.id == worker_id).values(values)
        with self._database.write() as connection:
            if connection.execute(update).rowcount == 0:
                connection.execute(sa.insert(workers).values(id=worker_id, **values))

    def leave(self, worker_id: str) -> None:
        """Note that a worker has stopped."""
        with self._database.write() as connection:
            connection.execute(sa.delete(workers).where(workers.c.id == worker_id))

    def living(self, model: str) -> tuple[bool, ...]:
        """Return for each worker that serves a model and is alive whether its model answers."""
        query = sa.select(workers.c.model_ready).where(
            workers.c.model == model, workers.c.seen_at > self._clock() - ALIVE_FOR
        )
        with self._database.read() as connection:
            return tuple(connection.execute(query).scalars())
