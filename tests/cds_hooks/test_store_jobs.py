"""Every test runs on SQLite in memory, on an SQLite file and on a real PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from cds_hooks.store.jobs import GRACE
from cds_hooks.store.opening import Store, open_store
from cds_hooks.store.results import PASSING_FOR
from cds_hooks.store.states import Claim, Failure, JobState, Question, Started, Status
from cds_hooks.store.tables import jobs
from tests.cds_hooks.conftest import HandClock
from tests.cds_hooks.fakes import make_settings
from tests.cds_hooks.samples import FILM, HEAT, make_explanation, make_judgement

HOUR = timedelta(hours=1)
LIMIT = timedelta(seconds=make_settings().job_limit_s) + GRACE


def ask(fingerprint: str = "f", inputs: Callable[[], bytes] = lambda: b"inputs") -> Question:
    """Return a question."""
    return Question(fingerprint, "p", HOUR, inputs)


def begin(store: Store, question: Question | None = None) -> Started:
    """Claim a job and take it in hand."""
    started = store.jobs.start(store.jobs.claim(question or ask()).job_id)
    assert started is not None
    return started


def finish(store: Store) -> Started:
    """Run a job to its end."""
    started = begin(store)
    assert store.results.finish(started, make_judgement())
    return started


def count_of(store: Store, table: sa.Table = jobs) -> int:
    """Return the number of rows."""
    with store.database.read() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def test_first_to_ask_must_enqueue(store: Store) -> None:
    """The first question makes a job, and the one who asked puts it into the queue."""
    claim = store.jobs.claim(ask())

    assert (claim.state, claim.attempt, claim.fresh) == (JobState.QUEUED, 1, True)


def test_second_to_ask_joins(store: Store) -> None:
    """The same question while its job waits or runs is the same job, and nobody enqueues it again."""
    first = begin(store)
    second = store.jobs.claim(ask())

    assert (first.job_id, JobState.RUNNING, False) == (second.job_id, second.state, second.fresh)


def test_inputs_are_made_only_when_a_worker_needs_them(store: Store) -> None:
    """A question whose job is there costs no sealing of a chart."""
    finish(store)

    def never() -> bytes:
        raise AssertionError("nobody needs them")

    assert store.jobs.claim(ask(inputs=never)).state is JobState.DONE


def test_many_at_once_get_one_job(tmp_path: Path, store: Store) -> None:
    """However many replicas ask at the same moment, exactly one starts the job, and none fails."""
    claims: list[Claim] = []
    start = threading.Barrier(8)

    def replica() -> None:
        start.wait()
        claims.extend(store.jobs.claim(ask(f"f{number}")) for number in range(10))

    threads = [threading.Thread(target=replica) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(claims), sum(claim.fresh for claim in claims), len({claim.job_id for claim in claims})) == (80, 10, 10)


def test_only_one_worker_runs_a_job(store: Store) -> None:
    """A message that is delivered twice is run once."""
    started = begin(store)

    assert store.jobs.start(started.job_id) is None


def test_unknown_job_is_not_started(store: Store) -> None:
    """A message about a job that was deleted does nothing."""
    assert store.jobs.start("0" * 32) is None


def test_worker_gets_the_inputs_back(store: Store) -> None:
    """What the hook sealed is what the worker reads."""
    assert ((started := begin(store, ask(inputs=lambda: b"chart"))).inputs, started.reusable_for) == (b"chart", HOUR)


def test_inputs_lie_sealed_and_go_with_the_end(store: Store) -> None:
    """Chart and token lie encrypted while the job runs, and are gone as soon as it ends."""

    def stored() -> bytes | None:
        with store.database.read() as connection:
            found: bytes | None = connection.execute(sa.select(jobs.c.inputs_sealed)).scalar_one()
            return found

    started = begin(store, ask(inputs=lambda: b"token"))
    while_running = stored()
    store.results.finish(started, make_judgement())

    assert while_running is not None
    assert b"token" not in while_running
    assert stored() is None


def test_finished_result_answers_later_questions(store: Store) -> None:
    """A finished job is found by its question, with its result."""
    started = finish(store)
    claim = store.jobs.claim(ask())

    assert (started.job_id, JobState.DONE) == (claim.job_id, claim.state)
    assert store.results.judgement(claim.job_id).prediction == make_judgement().prediction


def test_old_result_answers_no_more_but_keeps_its_page(store: Store, clock: HandClock) -> None:
    """After its time a result is computed anew under another job; the old one stays for the pages that show it."""
    old = finish(store)
    clock.turn(HOUR)
    claim = store.jobs.claim(ask())

    assert claim.fresh
    assert claim.job_id != old.job_id
    assert store.results.judgement(old.job_id) is not None


@pytest.mark.parametrize(("lasting", "state"), [(False, JobState.QUEUED), (True, JobState.DONE)])
def test_result_with_a_passing_gap_answers_for_a_minute(
    store: Store,
    clock: HandClock,
    lasting: bool,  # noqa: FBT001
    state: JobState,
) -> None:
    """What could not be had for a moment is asked for again soon, while a whole result stays."""
    store.results.finish(begin(store), make_judgement(lasting=lasting))
    clock.turn(PASSING_FOR)

    assert store.jobs.claim(ask()).state is state


@pytest.mark.parametrize("reason", list(Failure))
def test_failed_job_is_started_again_by_the_next_question(store: Store, reason: Failure) -> None:
    """A failure is not remembered against the patient: the next hook tries again, under the same job."""
    started = begin(store)
    store.jobs.fail(started.job_id, started.attempt, reason)
    again, joined = store.jobs.claim(ask()), store.jobs.claim(ask())

    assert (started.job_id, 2, True) == (again.job_id, again.attempt, again.fresh)
    assert (started.job_id, 2, False) == (joined.job_id, joined.attempt, joined.fresh)


def test_failed_job_is_started_again_by_one_of_many(store: Store) -> None:
    """Of all who see the same failure at the same moment, one starts the job again and the others join."""
    started = begin(store)
    store.jobs.fail(started.job_id, started.attempt, Failure.MODEL)
    seen = store.jobs._find("f")
    assert seen is not None

    assert [store.jobs._start_again(seen, ask()).fresh for _ in range(3)] == [True, False, False]


@pytest.mark.parametrize("lost", ["worker", "message"])
def test_lost_job_is_started_again(store: Store, clock: HandClock, lost: str) -> None:
    """A job whose worker or message is gone is started again after the limit, and not before."""
    first = begin(store).job_id if lost == "worker" else store.jobs.claim(ask()).job_id
    clock.turn(LIMIT - timedelta(seconds=1))
    before = store.jobs.claim(ask())
    clock.turn(timedelta(seconds=1))
    after = store.jobs.claim(ask())

    assert (before.fresh, after.fresh) == (False, True)
    assert first == after.job_id


def test_late_worker_cannot_overwrite(store: Store, clock: HandClock) -> None:
    """A worker that comes back after its job was given to another stores nothing."""
    late = begin(store)
    clock.turn(LIMIT)
    now = begin(store)

    assert not store.results.finish(late, make_judgement())
    assert store.results.finish(now, make_judgement())


def test_late_failure_does_not_spoil_a_result(store: Store) -> None:
    """Once there is a result, nothing turns it into a failure."""
    started = finish(store)
    store.jobs.fail(started.job_id, started.attempt, Failure.TIME)

    assert store.jobs.status(started.job_id) == Status(JobState.DONE)


def test_waiting_callers_learn_of_ended_jobs_only(store: Store) -> None:
    """Asked about many jobs, the store names those that are done or failed, and why."""
    done = finish(store).job_id
    failed = begin(store, ask("g"))
    store.jobs.fail(failed.job_id, failed.attempt, Failure.MODEL)
    running = begin(store, ask("h")).job_id

    assert store.jobs.ended([done, failed.job_id, running]) == {
        done: Status(JobState.DONE),
        failed.job_id: Status(JobState.FAILED, Failure.MODEL),
    }


def test_lost_job_reads_as_failed(store: Store, clock: HandClock) -> None:
    """A page that waits for a job whose worker is gone is told so."""
    started = begin(store)
    clock.turn(LIMIT)

    assert store.jobs.status(started.job_id) == Status(JobState.FAILED, Failure.TIME)


def test_pictures_come_back(store: Store) -> None:
    """Film and heat map come back as they were, each by its name."""
    job_id = finish(store).job_id

    assert (store.results.picture(job_id, "film"), store.results.picture(job_id, "heat")) == (FILM, HEAT)


def test_result_without_a_film_has_no_picture(store: Store) -> None:
    """Where there was no radiograph there is no picture, and a job that is not finished has none either."""
    started = begin(store)
    before = store.results.picture(started.job_id, "film")
    store.results.finish(started, make_judgement(explanation=make_explanation(image=None)))

    assert (before, store.results.picture(started.job_id, "heat")) == (None, None)


def test_result_has_its_time(store: Store, clock: HandClock) -> None:
    """The moment of the computation is kept in UTC."""
    job_id = finish(store).job_id

    assert store.results.judgement_at(job_id)[1] == clock.now


def test_store_outlives_its_process(clock: HandClock, tmp_path: Path) -> None:
    """A restart finds what was there: key, job and result."""
    settings = make_settings(database_url=None, state_dir=tmp_path)
    first = open_store(settings, clock)
    first.database.create_tables()
    job_id = finish(first).job_id
    first.close()
    second = open_store(settings, clock)

    assert second.results.judgement(job_id).prediction == make_judgement().prediction
    second.close()
