"""Judgement <-> its sealed row."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal

import sqlalchemy as sa

from cds_hooks.crypto import Vault
from cds_hooks.judgement import Judgement, from_bytes, second_from_bytes, to_bytes, with_tested
from cds_hooks.settings import ServiceSettings
from cds_hooks.store.checks import add_check, limit_of
from cds_hooks.store.database import Database
from cds_hooks.store.jobs import end_attempt
from cds_hooks.store.states import Clock, JobState, Started
from cds_hooks.store.tables import checks, results

Picture = Literal["film", "heat", "prior"]
PASSING_FOR: Final = timedelta(minutes=1)
"""How long a result answers that lacks something which may be there a minute later."""


class ResultStore:
    """What jobs found out."""

    def __init__(self, database: Database, vault: Vault, settings: ServiceSettings, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._check_limit = limit_of(settings)

    def finish(self, started: Started, judgement: Judgement) -> bool:
        """Store a result, with the check it asks for, and end its job.

        Returns:
            False when the job was given to another worker and this one came too late.
        """
        now = self._clock()
        payload, pictures = to_bytes(judgement)
        row = {
            "job_id": started.job_id,
            "computed_at": now,
            "judgement_sealed": self._vault.seal(payload),
            "film_sealed": self._sealed(pictures.film if pictures else None),
            "heat_sealed": self._sealed(pictures.heat if pictures else None),
            "prior_sealed": self._sealed(pictures.prior if pictures else None),
        }
        check = self._sealed(judgement.check)
        with self._database.write() as connection:
            lasts = started.reusable_for if judgement.lasting else min(started.reusable_for, PASSING_FOR)
            done = {"state": JobState.DONE, "fresh_until": now + lasts}
            if not end_attempt(connection, started.job_id, started.attempt, done):
                return False
            connection.execute(sa.insert(results).values(row))
            if check is not None:
                add_check(connection, started.job_id, check, now + self._check_limit)
        return True

    def _sealed(self, payload: bytes | None) -> bytes | None:
        return self._vault.seal(payload) if payload else None

    def judgement(self, job_id: str) -> Judgement:
        """Return what a finished job found out, without its pictures."""
        return self.judgement_at(job_id)[0]

    def judgement_at(self, job_id: str) -> tuple[Judgement, datetime]:
        """Return what a finished job found out, its second tier where that is there, and when the job did.

        The pictures are empty.
        """
        query = sa.select(results.c.judgement_sealed, results.c.computed_at, checks.c.tested_sealed)
        query = query.outerjoin(checks, checks.c.job_id == results.c.job_id).where(results.c.job_id == job_id)
        with self._database.read() as connection:
            row = connection.execute(query).one()
        judgement = from_bytes(self._vault.open(row.judgement_sealed))
        if row.tested_sealed is not None:
            judgement = with_tested(judgement, second_from_bytes(self._vault.open(row.tested_sealed)))
        return judgement, row.computed_at

    def picture(self, job_id: str, which: Picture) -> bytes | None:
        """Return one PNG file of a finished job; None where it has none, or is not finished."""
        query = sa.select(results.c[f"{which}_sealed"]).where(results.c.job_id == job_id)
        with self._database.read() as connection:
            sealed = connection.execute(query).scalar()
        return None if sealed is None else self._vault.open(sealed)
