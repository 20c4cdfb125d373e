"""Judgement <-> its sealed row."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from cds_hooks.crypto import Vault
from cds_hooks.judgement import Judgement, from_bytes, to_bytes
from cds_hooks.store.database import Database
from cds_hooks.store.jobs import end_attempt
from cds_hooks.store.states import Clock, JobState, Started
from cds_hooks.store.tables import results


class ResultStore:
    """What jobs found out."""

    def __init__(self, database: Database, vault: Vault, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock

    def finish(self, started: Started, judgement: Judgement) -> bool:
        """Store a result and end its job; False when the job was given to another worker and this one came too late."""
        now = self._clock()
        payload, pictures = to_bytes(judgement)
        row = {
            "job_id": started.job_id,
            "computed_at": now,
            "judgement_sealed": self._vault.seal(payload),
            "film_sealed": self._vault.seal(pictures.film) if pictures else None,
            "heat_sealed": self._vault.seal(pictures.heat) if pictures else None,
        }
        with self._database.write() as connection:
            done = {"state": JobState.DONE, "fresh_until": now + started.reusable_for}
            if not end_attempt(connection, started.job_id, started.attempt, done):
                return False
            connection.execute(sa.insert(results).values(row))
        return True

    def judgement(self, job_id: str) -> Judgement:
        """Return what a finished job found out, without its pictures."""
        return self.judgement_at(job_id)[0]

    def judgement_at(self, job_id: str) -> tuple[Judgement, datetime]:
        """Return what a finished job found out, without its pictures, and when it did."""
        query = sa.select(results.c.judgement_sealed, results.c.computed_at).where(results.c.job_id == job_id)
        with self._database.read() as connection:
            row = connection.execute(query).one()
        return from_bytes(self._vault.open(row.judgement_sealed)), row.computed_at

    def picture(self, job_id: str, which: Literal["film", "heat"]) -> bytes | None:
        """Return one PNG file of a finished job; None where it has none, or is not finished."""
        query = sa.select(results.c[f"{which}_sealed"]).where(results.c.job_id == job_id)
        with self._database.read() as connection:
            sealed = connection.execute(query).scalar()
        return None if sealed is None else self._vault.open(sealed)
