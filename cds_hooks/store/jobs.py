"""Fingerprint -> one job, whatever the number of replicas that ask for it."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError, NoResultFound

from cds_hooks.crypto import Vault
from cds_hooks.settings import ServiceSettings
from cds_hooks.store.database import Database
from cds_hooks.store.states import Claim, Clock, Failure, JobState, Question, Started, Status
from cds_hooks.store.tables import jobs

GRACE: Final = timedelta(seconds=5)
"""A worker stops its job at the limit itself; only one that is gone needs longer."""
AnyRow = sa.Row[*tuple[Any, ...]]
OPEN: Final = (JobState.QUEUED, JobState.RUNNING)


class JobStore:
    """The life of a job; its inputs are sealed on the way in and opened on the way out."""

    def __init__(self, database: Database, vault: Vault, settings: ServiceSettings, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._limit = timedelta(seconds=settings.job_limit_s) + GRACE
        # A card of the last moment at which the result is reused still needs its page for the whole lifetime.
        self._kept = self._limit + settings.result_lifetime + settings.page_lifetime

    def claim(self, question: Question) -> Claim:
        """Find the job of a question, or make it; a failed or lost one is started again, by one caller."""
        found = self._find(question.fingerprint)
        if found is None:
            return self._create(question)
        state, now = JobState(found.state), self._clock()
        if state is JobState.DONE and found.fresh_until <= now:
            return self._create(question, instead_of=found.id)
        if state is JobState.FAILED or (state in OPEN and found.lost_at <= now):
            return self._start_again(found, question)
        return Claim(found.id, state, found.attempt, fresh=False)

    def _find(self, fingerprint: str) -> AnyRow | None:
        query = sa.select(jobs.c.id, jobs.c.state, jobs.c.attempt, jobs.c.lost_at, jobs.c.fresh_until)
        with self._database.read() as connection:
            return connection.execute(query.where(jobs.c.fingerprint == fingerprint)).first()

    def _existing(self, fingerprint: str) -> AnyRow:
        found = self._find(fingerprint)
        if found is None:  # It expired between two statements; the caller's 503 is honest, and a retry succeeds.
            raise NoResultFound("the job was deleted while it was asked for")
        return found

    def _create(self, question: Question, instead_of: str | None = None) -> Claim:
        job_id = uuid.uuid4().hex
        row = {"id": job_id, "fingerprint": question.fingerprint, "attempt": 1, **self._queued(question)}
        try:
            with self._database.write() as connection:
                if instead_of is not None:
                    # The old row stays for the pages that show it, but answers no more hooks.
                    connection.execute(sa.update(jobs).where(jobs.c.id == instead_of).values(fingerprint=None))
                connection.execute(sa.insert(jobs).values(row))
        except IntegrityError:
            # Another replica was first: its job is ours too.
            found = self._existing(question.fingerprint)
            return Claim(found.id, JobState(found.state), found.attempt, fresh=False)
        return Claim(job_id, JobState.QUEUED, 1, fresh=True)

    def _start_again(self, found: AnyRow, question: Question) -> Claim:
        attempt = found.attempt + 1
        update = sa.update(jobs).where(jobs.c.id == found.id, jobs.c.attempt == found.attempt)
        with self._database.write() as connection:
            won = connection.execute(update.values(attempt=attempt, **self._queued(question))).rowcount == 1
        return Claim(found.id, JobState.QUEUED, attempt, fresh=won)

    def _queued(self, question: Question) -> dict[str, Any]:
        now = self._clock()
        return {
            "patient": question.patient,
            "state": JobState.QUEUED,
            "reason": None,
            "inputs_sealed": self._vault.seal(question.inputs()),
            "reusable_s": int(question.reusable_for.total_seconds()),
            "lost_at": now + self._limit,
            "expires_at": now + self._kept,
        }

    def start(self, job_id: str) -> Started | None:
        """Take a queued job in hand; None when another worker has it, or it has ended, or is gone."""
        mine = sa.update(jobs).where(jobs.c.id == job_id, jobs.c.state == JobState.QUEUED)
        query = sa.select(jobs.c.attempt, jobs.c.inputs_sealed, jobs.c.reusable_s).where(jobs.c.id == job_id)
        with self._database.write() as connection:
            running = mine.values(state=JobState.RUNNING, lost_at=self._clock() + self._limit)
            if connection.execute(running).rowcount != 1:
                return None
            row = connection.execute(query).one()
        reusable_for = timedelta(seconds=row.reusable_s)
        return Started(job_id, row.attempt, self._vault.open(row.inputs_sealed), reusable_for)

    def fail(self, job_id: str, attempt: int, reason: Failure) -> None:
        """Mark an attempt as failed; the next hook may start the job again."""
        with self._database.write() as connection:
            end_attempt(connection, job_id, attempt, {"state": JobState.FAILED, "reason": reason})

    def ended(self, job_ids: Collection[str]) -> dict[str, Status]:
        """Return those of the jobs that are done or failed."""
        query = sa.select(jobs.c.id, jobs.c.state, jobs.c.reason)
        ended = query.where(jobs.c.id.in_(job_ids), jobs.c.state.not_in(OPEN))
        with self._database.read() as connection:
            return {row.id: _status(row) for row in connection.execute(ended)}

    def anybody_waits(self) -> bool:
        """Say whether a job is queued or running somewhere, for a hook or a page that waits for it."""
        waiting = sa.exists().where(jobs.c.state.in_(OPEN), jobs.c.lost_at > self._clock())
        with self._database.read() as connection:
            return bool(connection.execute(sa.select(waiting)).scalar())

    def status(self, job_id: str) -> Status:
        """Return where a job stands; one whose worker is gone has failed."""
        query = sa.select(jobs.c.state, jobs.c.reason, jobs.c.lost_at).where(jobs.c.id == job_id)
        with self._database.read() as connection:
            row = connection.execute(query).one()
        lost = row.state in OPEN and row.lost_at <= self._clock()
        return Status(JobState.FAILED, Failure.TIME) if lost else _status(row)


def end_attempt(connection: Connection, job_id: str, attempt: int, values: dict[str, Any]) -> bool:
    """End one attempt and forget its inputs; False when the job ended already or is in a later attempt."""
    mine = sa.update(jobs).where(jobs.c.id == job_id, jobs.c.attempt == attempt, jobs.c.state.in_(OPEN))
    return connection.execute(mine.values(inputs_sealed=None, **values)).rowcount == 1


def _status(row: AnyRow) -> Status:
    return Status(JobState(row.state), Failure(row.reason) if row.reason else None)
