from __future__ import annotations

import asyncio
from collections.abc import Collection

import pytest
from sqlalchemy.exc import OperationalError

from cds_hooks import waiting as module
from cds_hooks.store.states import JobState, Status
from cds_hooks.waiting import Waiter
from fhir_adapter.deadline import Deadline
from tests.cds_hooks.fakes import until

DONE = Status(JobState.DONE)


def never() -> Deadline:
    """Return a deadline beyond the end of a test; made anew, as a deadline made at import passes in a long run."""
    return Deadline.after(60)


class Jobs:
    """A table of ended jobs that notes how often and about what it was asked."""

    def __init__(self) -> None:
        self.rows: dict[str, Status] = {}
        self.asked: list[set[str]] = []
        self.error: OperationalError | None = None

    def __call__(self, job_ids: Collection[str]) -> dict[str, Status]:
        """Answer."""
        self.asked.append(set(job_ids))
        if self.error:
            raise self.error
        return {job_id: self.rows[job_id] for job_id in job_ids if job_id in self.rows}


async def asked_about(jobs: Jobs, job_ids: set[str]) -> None:
    """Wait until the table was asked about these jobs."""
    await until(lambda: job_ids in jobs.asked)


async def test_end_is_noticed() -> None:
    """Whoever waits learns how the job ended."""
    jobs = Jobs()
    waiting = asyncio.create_task(Waiter(jobs).wait("a", never()))
    await asked_about(jobs, {"a"})
    jobs.rows["a"] = DONE

    assert await waiting == DONE


async def test_deadline_is_kept() -> None:
    """A job that does not end is waited for until the deadline, and no answer is an answer."""
    assert await Waiter(Jobs()).wait("a", Deadline.after(0.02)) is None


async def test_passed_deadline_waits_for_nothing() -> None:
    """With nothing left of the budget the answer goes out at once."""
    assert await Waiter(Jobs()).wait("a", Deadline.after(-1)) is None


async def test_all_are_served_by_one_question() -> None:
    """However many wait, the database is asked once for all of them."""
    jobs = Jobs()
    waiter = Waiter(jobs)
    waiting = [asyncio.create_task(waiter.wait(job_id, never())) for job_id in ("a", "a", "b")]
    await asked_about(jobs, {"a", "b"})
    jobs.rows |= {"a": DONE, "b": Status(JobState.FAILED)}

    assert [DONE, DONE, Status(JobState.FAILED)] == await asyncio.gather(*waiting)


async def test_bell_brings_the_answer_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker in the same process rings when a job has ended: nobody waits for the next query."""
    monkeypatch.setattr(module, "POLL_S", 3600)
    jobs = Jobs()
    waiter = Waiter(jobs)
    waiting = asyncio.create_task(waiter.wait("a", never()))
    await asked_about(jobs, {"a"})
    jobs.rows["a"] = DONE
    await asyncio.to_thread(waiter.ring)

    assert await waiting == DONE


async def test_bell_before_anybody_waits_does_nothing() -> None:
    """A job may end when nobody waits any more, or not yet."""
    waiter = Waiter(Jobs())
    waiter.ring()

    assert await waiter.wait("a", Deadline.after(0.01)) is None


async def test_nobody_waiting_nobody_asked() -> None:
    """When the last one has gone the database is left alone."""
    jobs = Jobs()
    waiter = Waiter(jobs)
    await waiter.wait("a", Deadline.after(0.01))
    await waiter.close()
    asked = len(jobs.asked)
    await asyncio.sleep(0.02)

    assert asked == len(jobs.asked)


async def test_database_error_reaches_those_who_wait() -> None:
    """A database that fails is told to everyone who waits for it, and the next one is served again."""
    jobs = Jobs()
    waiter = Waiter(jobs)
    jobs.error = OperationalError("select", {}, Exception())
    with pytest.raises(OperationalError):
        await waiter.wait("a", never())
    jobs.error, jobs.rows = None, {"a": DONE}

    assert await waiter.wait("a", never()) == DONE
