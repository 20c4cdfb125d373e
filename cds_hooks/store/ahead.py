"""Patients of whom there is news: one row each, whatever the number of results, until their case has been computed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from cds_hooks.crypto import Vault
from cds_hooks.settings import ServiceSettings
from cds_hooks.store.audit import What
from cds_hooks.store.database import Database
from cds_hooks.store.states import Clock
from cds_hooks.store.tables import ahead, audit, jobs

LEFT_AFTER: Final = timedelta(days=1)
"""News that nobody has seen to for this long are forgotten."""
LEASE: Final = timedelta(minutes=5)
"""For how long a case belongs to the process that began with it."""


@dataclass(frozen=True, slots=True)
class Due:
    """A patient whose case this process, and no other, is to compute.

    Attributes:
        patient: keyed hash.
        server: base address of the FHIR server.
        patient_id: FHIR id there.
        attempt: 1 for the first.
        fresh_to: until when the result is to be kept fresh.
        until: end of the lease, by which the row is known again.
    """

    patient: str
    server: str
    patient_id: str = field(repr=False)
    attempt: int
    fresh_to: datetime
    until: datetime


class AheadStore:
    """Who is waited for to fall quiet, and who is due."""

    def __init__(self, database: Database, vault: Vault, settings: ServiceSettings, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._quiet = timedelta(seconds=settings.watch.quiet_s)
        self._at_most = timedelta(seconds=settings.watch.at_most_s)
        self._keep_fresh = settings.watch.keep_fresh

    def note(self, server: str, patient_id: str) -> None:
        """Note that there is news of a patient: due when they have stopped, or have gone on for long enough."""
        patient = self._vault.mark("patient", server, patient_id)
        whose = self._vault.seal(orjson.dumps([server, patient_id]))
        try:
            with self._database.write() as connection:
                self._add(connection, patient, whose)
        except IntegrityError:
            # Another process was first; its row is there now.
            with self._database.write() as connection:
                self._add(connection, patient, whose)

    def _add(self, connection: Connection, patient: str, whose: bytes) -> None:
        now = self._clock()
        query = sa.select(ahead.c.first_at).where(ahead.c.patient == patient).with_for_update()
        found = connection.execute(query).first()
        first_at = found.first_at if found is not None and found.first_at is not None else now
        row = {
            "first_at": first_at,
            "due_at": min(now + self._quiet, first_at + self._at_most),
            "attempt": 0,
            "fresh_to": now + self._keep_fresh,
            "expires_at": now + self._keep_fresh + LEFT_AFTER,
        }
        if found is None:
            connection.execute(sa.insert(ahead).values(patient=patient, whose_sealed=whose, **row))
        else:
            connection.execute(sa.update(ahead).where(ahead.c.patient == patient).values(row))

    def take(self) -> Due | None:
        """Take the patient who has been due for longest in hand; None where nobody is."""
        now = self._clock()
        query = sa.select(ahead).where(ahead.c.due_at <= now, ahead.c.expires_at > now).order_by(ahead.c.due_at)
        with self._database.read() as connection:
            row = connection.execute(query.limit(1)).first()
        if row is None:
            return None
        until, attempt = now + LEASE, row.attempt + 1
        # News that come from now on are other news: they make the patient due again.
        mine = sa.update(ahead).where(ahead.c.patient == row.patient, ahead.c.due_at == row.due_at)
        with self._database.write() as connection:
            taken = mine.values(first_at=None, due_at=until, attempt=attempt)
            if connection.execute(taken).rowcount != 1:
                return None
        server, patient_id = orjson.loads(self._vault.open(row.whose_sealed))
        return Due(row.patient, server, patient_id, attempt, row.fresh_to, until)

    def finish(self, due: Due, again_at: datetime | None) -> None:
        """End an attempt that succeeded: forget the patient, or keep the result fresh at a later moment."""
        self._leave(due, again_at, attempt=0)

    def put_off(self, due: Due, again_at: datetime | None) -> None:
        """End an attempt that failed: try again at a later moment, or give up."""
        self._leave(due, again_at, attempt=due.attempt)

    def _leave(self, due: Due, again_at: datetime | None, attempt: int) -> None:
        # Where news came meanwhile the row says when to begin again, and stays as it is.
        untouched = sa.and_(ahead.c.patient == due.patient, ahead.c.due_at == due.until, ahead.c.first_at.is_(None))
        change: sa.Delete | sa.Update = sa.delete(ahead).where(untouched)
        if again_at is not None:
            change = sa.update(ahead).where(untouched).values(due_at=again_at, attempt=attempt)
        with self._database.write() as connection:
            connection.execute(change)

    def opened(self, patients: Collection[str], since: datetime) -> set[str]:
        """Return those, by keyed hash, for whom a hook was answered since a moment."""
        query = sa.select(audit.c.patient).where(
            audit.c.patient.in_(patients), audit.c.action == What.HOOK_ANSWERED, audit.c.at >= since
        )
        with self._database.read() as connection:
            return set(connection.execute(query.distinct()).scalars())

    def reused_until(self, job_id: str) -> datetime | None:
        """Return until when the result of a job answers hooks; None where it is not finished."""
        with self._database.read() as connection:
            row: Any = connection.execute(sa.select(jobs.c.fresh_until).where(jobs.c.id == job_id)).first()
        return None if row is None else row.fresh_until
