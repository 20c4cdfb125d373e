"""A patient who is due -> their case claimed and enqueued as a hook would, behind every hook.

The case is the one that a hook makes of the same chart: same server, same content, same model, hence the same
fingerprint. Whoever holds other data, because their token shows them less, has another fingerprint and another answer.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from cds_hooks.ahead.access import OwnAccess
from cds_hooks.cases import question_of
from cds_hooks.jobs import QueueDown
from cds_hooks.log import get_logger
from cds_hooks.parts import Parts
from cds_hooks.pipeline import Case
from cds_hooks.store.ahead import Due
from cds_hooks.store.audit import Entry, What
from cds_hooks.store.states import Claim, Failure, JobState
from fhir_adapter.chart import Chart
from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import ChartUnavailable, FhirError, ForeignPatient
from fhir_adapter.record import GapReason

ATTEMPTS: Final = 5
FIRST_PAUSE: Final = timedelta(minutes=1)
"""Pause after the first attempt that failed; each further one is twice as long."""
COLLECT_WITHIN_S: Final = 60.0
AGAIN_AFTER: Final = timedelta(seconds=1)
"""How long after its end a result is computed again, where it is kept fresh: before, the old one would be found."""
PASSING: Final = frozenset({GapReason.TIMEOUT, GapReason.FAILED})
"""Gaps that a hook a minute later does not have, so that a case with them would never be asked for."""
log = get_logger()


class Outcome(StrEnum):
    """What became of a patient who was due."""

    COMPUTED = "computed"
    FOUND = "found"
    FAILED = "failed"


class ChartUnsettled(FhirError):
    """A part of the chart could not be had for the moment."""


class Computer:
    """Computes cases ahead, one after the other.

    Raises (every method): sqlalchemy.exc.SQLAlchemyError where the database is down; right_of_way.Stopped where the
    process ends.
    """

    def __init__(self, parts: Parts, access: OwnAccess) -> None:
        self._parts = parts
        self._store = parts.store
        self._access = access

    async def compute_next(self) -> Outcome | None:
        """Compute the case that has been due for longest and wait for its end; None where none is due."""
        due = await asyncio.to_thread(self._store.ahead.take)
        if due is None:
            return None
        try:
            claim = await self._compute(due)
        except (FhirError, QueueDown) as error:
            return await self._failed(due, type(error).__name__, hopeless=_is_hopeless(error))
        if await self._state_of(claim) is JobState.FAILED:
            return await self._failed(due, "JobFailed")
        again_at = await asyncio.to_thread(self._again_at, due, claim.job_id)
        await asyncio.to_thread(self._store.ahead.finish, due, again_at)
        outcome = Outcome.COMPUTED if claim.fresh else Outcome.FOUND
        log.info("computed_ahead", job_id=claim.job_id, state=outcome)
        return outcome

    async def _compute(self, due: Due) -> Claim:
        """See that there is a job for the case, started or finished.

        Raises:
            FhirError: the chart cannot be had.
            QueueDown: the job cannot be enqueued.
        """
        way = self._parts.way
        await asyncio.to_thread(way.give_way)
        case = await self._case(due)
        await asyncio.to_thread(way.give_way)
        claim = await asyncio.to_thread(self._store.jobs.claim, question_of(self._parts, case, due.patient))
        try:
            # At once: a hook that joins a job which nobody enqueued would wait for nothing.
            if claim.fresh:
                await self._enqueue(claim)
        finally:
            # A chart was read with nobody asking: that is traced, whether or not it is computed now.
            entry = Entry(What.AHEAD_COMPUTED, patient=due.patient, job_id=claim.job_id)
            await asyncio.to_thread(self._store.upkeep.record, entry)
        return claim

    async def _case(self, due: Due) -> Case:
        deadline, asked_at = Deadline.after(COLLECT_WITHIN_S), self._store.clock()
        client = self._access.client(due.server)
        chart: Chart = await self._parts.engine.collect(None, client, due.patient_id, deadline, asked_at=asked_at)
        if any(gap.reason in PASSING for gap in chart.gaps):
            raise ChartUnsettled("a part of the chart could not be had for the moment: it is tried again")
        return Case(
            patient_id=due.patient_id,
            fhir_server=due.server,
            grant=None,
            chart=chart,
            prefetch=None,
            asked_at=asked_at,
            own_access=self._access.shown_to(due.server),
        )

    async def _enqueue(self, claim: Claim) -> None:
        try:
            await asyncio.to_thread(self._parts.queue.put, claim.job_id)
        except QueueDown:
            await asyncio.to_thread(self._store.jobs.fail, claim.job_id, claim.attempt, Failure.QUEUE)
            raise

    async def _state_of(self, claim: Claim) -> JobState:
        """Wait for the end of a job: one case at a time, so that a hook never waits behind a heap of them."""
        if claim.state is JobState.DONE:
            return claim.state
        status = await self._parts.waiter.wait(claim.job_id, Deadline.after(self._parts.settings.job_limit_s))
        return JobState.FAILED if status is None else status.state

    async def _failed(self, due: Due, error: str, *, hopeless: bool = False) -> Outcome:
        over = hopeless or due.attempt >= ATTEMPTS
        pause = FIRST_PAUSE * 2 ** (due.attempt - 1)
        await asyncio.to_thread(self._store.ahead.put_off, due, None if over else self._store.clock() + pause)
        log.warning("not_computed_ahead", error=error, attempt=due.attempt, state="given up" if over else "put off")
        return Outcome.FAILED

    def _again_at(self, due: Due, job_id: str) -> datetime | None:
        """Return when the result will be too old, if it is to be kept fresh for as long."""
        end = self._store.ahead.reused_until(job_id)
        return end + AGAIN_AFTER if end is not None and end < due.fresh_to else None


def _is_hopeless(error: Exception) -> bool:
    """Whether another attempt would end the same: there is no such patient, or the server mixes two of them."""
    nobody = isinstance(error, ChartUnavailable) and error.reason is GapReason.MISSING
    return nobody or isinstance(error, ForeignPatient)
