"""The second tier of a result: waiting, in the hands of one worker, found out, or given up.

What a check needs holds pixels and words of the patient. It lies sealed for as long as a worker may still need it, and
goes as soon as the check is done, has failed for good, or has waited for longer than its result answers hooks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cds_hooks.crypto import Vault
from cds_hooks.judgement import second_from_bytes, second_to_bytes
from cds_hooks.settings import ServiceSettings
from cds_hooks.store.database import Database
from cds_hooks.store.jobs import GRACE, OPEN
from cds_hooks.store.states import Checked, Clock, JobState
from cds_hooks.store.tables import checks
from explain.tested import Tested

ATTEMPTS: Final = 3
"""Times that a check may be begun: one that takes its worker with it must not take all of them."""


@dataclass(frozen=True, slots=True)
class StartedCheck:
    """A check that this worker, and no other, runs; `inputs` are opened."""

    job_id: str
    attempt: int
    inputs: bytes


class CheckStore:
    """The life of a check, beside the job whose result it tests."""

    def __init__(self, database: Database, vault: Vault, settings: ServiceSettings, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._limit = limit_of(settings)

    def start(self, job_id: str) -> StartedCheck | None:
        """Take a check in hand; None when another worker has it, or it has ended, or is gone."""
        mine = sa.update(checks).where(checks.c.job_id == job_id, checks.c.state == JobState.QUEUED)
        query = sa.select(checks.c.attempt, checks.c.inputs_sealed).where(checks.c.job_id == job_id)
        begun = {"state": JobState.RUNNING, "attempt": checks.c.attempt + 1, "lost_at": self._clock() + self._limit}
        with self._database.write() as connection:
            if connection.execute(mine.values(begun)).rowcount != 1:
                return None
            row = connection.execute(query).one()
        return StartedCheck(job_id, row.attempt, self._vault.open(row.inputs_sealed))

    def renew(self, check: StartedCheck) -> bool:
        """Say that a check goes on, after it gave way; False when it was given to another worker meanwhile."""
        return self._change(check, {"lost_at": self._clock() + self._limit})

    def finish(self, check: StartedCheck, tested: Tested) -> bool:
        """Store what was found out; False when the check was given to another worker meanwhile.

        Raises:
            ValueError: a figure is not finite.
        """
        payload, heat = second_to_bytes(tested)
        found = {
            "tested_sealed": self._vault.seal(payload),
            "heat_sealed": self._vault.seal(heat) if heat else None,
        }
        return self._change(check, {"state": JobState.DONE, "inputs_sealed": None, **found})

    def fail(self, check: StartedCheck) -> None:
        """Give a check up for good: it would fail again."""
        self._change(check, {"state": JobState.FAILED, "inputs_sealed": None})

    def let_go(self, check: StartedCheck) -> None:
        """Leave a check to whoever looks at its page next; after the last attempt it has failed."""
        over = check.attempt >= ATTEMPTS
        self._change(check, {"state": JobState.FAILED, "inputs_sealed": None} if over else {"lost_at": self._clock()})

    def _change(self, check: StartedCheck, values: dict[str, Any]) -> bool:
        mine = sa.update(checks).where(
            checks.c.job_id == check.job_id, checks.c.attempt == check.attempt, checks.c.state == JobState.RUNNING
        )
        with self._database.write() as connection:
            return connection.execute(mine.values(values)).rowcount == 1

    def state(self, job_id: str) -> Checked:
        """Return where the check of a result stands."""
        row = self._find(job_id)
        if row is None:
            return Checked.NONE
        if row.state in OPEN:
            return Checked.FAILED if self._is_lost(row) and row.attempt >= ATTEMPTS else Checked.RUNNING
        return Checked(row.state)

    def revive(self, job_id: str) -> bool:
        """Make a check that was lost wait again; True for the one caller who must put it into the queue."""
        row = self._find(job_id)
        if row is None or not self._is_lost(row) or row.attempt >= ATTEMPTS:
            return False
        now = self._clock()
        lost = sa.update(checks).where(checks.c.job_id == job_id, checks.c.state.in_(OPEN), checks.c.lost_at <= now)
        with self._database.write() as connection:
            again = lost.values(state=JobState.QUEUED, lost_at=now + self._limit)
            return connection.execute(again).rowcount == 1

    def _find(self, job_id: str) -> sa.Row[*tuple[Any, ...]] | None:
        query = sa.select(checks.c.state, checks.c.attempt, checks.c.lost_at).where(checks.c.job_id == job_id)
        with self._database.read() as connection:
            return connection.execute(query).first()

    def _is_lost(self, row: sa.Row[*tuple[Any, ...]]) -> bool:
        return row.state in OPEN and row.lost_at <= self._clock()

    def tested(self, job_id: str) -> Tested | None:
        """Return what a check found out, its heat map empty; None where it has not, or there is none."""
        payload = self._opened(checks.c.tested_sealed, job_id)
        return None if payload is None else second_from_bytes(payload)

    def heat(self, job_id: str) -> bytes | None:
        """Return the heat map that a check made; None where it made none."""
        return self._opened(checks.c.heat_sealed, job_id)

    def _opened(self, column: sa.Column[bytes], job_id: str) -> bytes | None:
        query = sa.select(column).where(checks.c.job_id == job_id)
        with self._database.read() as connection:
            sealed = connection.execute(query).scalar()
        return None if sealed is None else self._vault.open(sealed)


def limit_of(settings: ServiceSettings) -> timedelta:
    """Return after how long a check without a sign of life counts as lost."""
    return timedelta(seconds=settings.check_limit_s + settings.narrator_timeout_s) + GRACE


def add_check(connection: Connection, job_id: str, inputs_sealed: bytes, lost_at: datetime) -> None:
    """Add the check of a result inside the transaction that stores it."""
    row = {"job_id": job_id, "state": JobState.QUEUED, "attempt": 0, "inputs_sealed": inputs_sealed, "lost_at": lost_at}
    connection.execute(sa.insert(checks).values(row))


def give_up(now: datetime, kept_for: timedelta) -> sa.Update:
    """Return the statement that ends checks which nobody will begin again, and forgets their inputs."""
    hopeless = sa.and_(checks.c.lost_at <= now, checks.c.attempt >= ATTEMPTS)
    forgotten = checks.c.lost_at <= now - kept_for
    lost = sa.update(checks).where(checks.c.state.in_(OPEN), sa.or_(hopeless, forgotten))
    return lost.values(state=JobState.FAILED, inputs_sealed=None)
