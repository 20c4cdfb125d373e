"""Every test runs on SQLite in memory, on an SQLite file and on a real PostgreSQL."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from cds_hooks.store.checks import ATTEMPTS, StartedCheck, limit_of
from cds_hooks.store.opening import Store
from cds_hooks.store.states import Checked, Failure
from cds_hooks.store.tables import checks
from tests.cds_hooks.conftest import HandClock
from tests.cds_hooks.fakes import make_settings
from tests.cds_hooks.samples import CHECK, make_judgement, make_tested
from tests.cds_hooks.test_store_jobs import LIMIT, ask, begin, count_of, finish

SETTINGS = make_settings()
LOST_AFTER = limit_of(SETTINGS)


def queued(store: Store) -> str:
    """Finish a job that is to be checked."""
    started = begin(store)
    assert store.results.finish(started, make_judgement(check=CHECK))
    return started.job_id


def taken(store: Store) -> StartedCheck:
    """Take the check of a finished job in hand."""
    check = store.checks.start(queued(store))
    assert check is not None
    return check


def stored_inputs(store: Store) -> bytes | None:
    """Return what lies in the database for the worker."""
    with store.database.read() as connection:
        found: bytes | None = connection.execute(sa.select(checks.c.inputs_sealed)).scalar_one()
    return found


def test_result_comes_with_its_check(store: Store) -> None:
    """From the moment a result is there its check is, and the worker gets what the job left for it."""
    job_id = queued(store)
    before = store.checks.state(job_id)
    check = store.checks.start(job_id)

    assert before is Checked.RUNNING
    assert check == StartedCheck(job_id, 1, CHECK)


def test_result_out_of_scope_has_no_check(store: Store) -> None:
    """Where there was nothing to check there is none, however often somebody looks."""
    job_id = finish(store).job_id

    assert (store.checks.state(job_id), store.checks.tested(job_id)) == (Checked.NONE, None)
    assert not store.checks.revive(job_id)


def test_inputs_lie_sealed_and_in_no_result(store: Store) -> None:
    """What the check needs is encrypted, and apart from what pages and cards read."""
    job_id = queued(store)

    assert b"kingfisher" not in (stored_inputs(store) or b"")
    assert store.results.judgement(job_id).check is None


@pytest.mark.parametrize("end", ["done", "failed", "tried too often", "forgotten", "expired"])
def test_inputs_go_with_the_check(store: Store, clock: HandClock, end: str) -> None:
    """However a check ends, film and note that it needed do not outlive it."""
    check = taken(store)
    if end == "done":
        store.checks.finish(check, make_tested())
    elif end == "failed":
        store.checks.fail(check)
    elif end == "tried too often":
        store.checks.let_go(StartedCheck(check.job_id, try_again(store, check, ATTEMPTS - 1), CHECK))
    else:
        clock.turn(SETTINGS.result_lifetime + LOST_AFTER + (SETTINGS.page_lifetime + LIMIT) * (end == "expired"))
        store.upkeep.purge()

    assert (stored_inputs(store) if end != "expired" else count_of(store, checks)) in (None, 0)


def try_again(store: Store, check: StartedCheck, times: int) -> int:
    """Let a check go and take it again, and return the last attempt's number."""
    for _ in range(times):
        store.checks.let_go(check)
        assert store.checks.revive(check.job_id)
        again = store.checks.start(check.job_id)
        assert again is not None
        check = again
    return check.attempt


def test_only_one_worker_runs_a_check(store: Store) -> None:
    """A message that is delivered twice is run once."""
    assert store.checks.start(taken(store).job_id) is None


def test_finding_belongs_to_the_result(store: Store) -> None:
    """Whoever reads the result reads its second tier, and the claims as it left them."""
    check = taken(store)
    before = store.results.judgement(check.job_id).explanation
    kept = store.checks.finish(check, make_tested("image"))
    after = store.results.judgement(check.job_id).explanation

    assert (kept, before.tested, after.tested) == (True, None, make_tested("image"))
    assert store.checks.state(check.job_id) is Checked.DONE
    assert before.claims != after.claims


def test_reused_result_keeps_its_check(store: Store) -> None:
    """The next question about the same inputs finds the same job, and with it the check."""
    check = taken(store)
    store.checks.finish(check, make_tested())
    claim = store.jobs.claim(ask())

    assert claim.job_id == check.job_id
    assert store.results.judgement(claim.job_id).explanation.tested is not None


@pytest.mark.parametrize("lost", ["worker", "message"])
def test_lost_check_is_started_again_by_one_of_many(store: Store, clock: HandClock, lost: str) -> None:
    """A check whose worker or message is gone is started again after its limit, not before, and by one caller."""
    job_id = taken(store).job_id if lost == "worker" else queued(store)
    clock.turn(LOST_AFTER - timedelta(seconds=1))
    before = store.checks.revive(job_id)
    clock.turn(timedelta(seconds=1))
    revived = many_at_once(store, job_id)

    assert (before, sorted(revived)) == (False, [False, False, False, True])
    assert store.checks.state(job_id) is Checked.RUNNING
    assert store.checks.start(job_id) is not None


def many_at_once(store: Store, job_id: str) -> list[bool]:
    """Have four callers look at the same page at the same moment."""
    revived: list[bool] = []
    threads = [threading.Thread(target=lambda: revived.append(store.checks.revive(job_id))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return revived


def test_waiting_is_no_attempt(store: Store, clock: HandClock) -> None:
    """A check that nobody had time for is put into the queue as often as it takes: only beginning it counts."""
    job_id = queued(store)
    for _ in range(2 * ATTEMPTS):
        clock.turn(LOST_AFTER)
        assert store.checks.revive(job_id)
    check = store.checks.start(job_id)

    assert check is not None
    assert check.attempt == 1


def test_attempts_are_bounded(store: Store, clock: HandClock) -> None:
    """A check that took its worker with it three times has failed, and pages say so."""
    check = taken(store)
    try_again(store, check, ATTEMPTS - 1)
    running = store.checks.state(check.job_id)
    clock.turn(LOST_AFTER)

    assert not store.checks.revive(check.job_id)
    assert (running, store.checks.state(check.job_id)) == (Checked.RUNNING, Checked.FAILED)


def test_renewed_check_is_not_lost(store: Store, clock: HandClock) -> None:
    """A check that says that it goes on is left to its worker."""
    check = taken(store)
    clock.turn(LOST_AFTER)
    renewed = store.checks.renew(check)

    assert (renewed, store.checks.revive(check.job_id)) == (True, False)


def test_late_worker_cannot_overwrite(store: Store, clock: HandClock) -> None:
    """A worker that comes back after its check was given to another stores nothing, and is told."""
    late = taken(store)
    clock.turn(LOST_AFTER)
    store.checks.revive(late.job_id)
    now = store.checks.start(late.job_id)
    assert now is not None
    store.checks.fail(late)

    assert not store.checks.renew(late)
    assert not store.checks.finish(late, make_tested("image"))
    assert store.checks.finish(now, make_tested())


def test_late_failure_does_not_spoil_a_finding(store: Store) -> None:
    """Once something was found out, nothing turns it into a failure."""
    check = taken(store)
    store.checks.finish(check, make_tested())
    store.checks.fail(check)
    store.checks.let_go(check)

    assert store.checks.state(check.job_id) is Checked.DONE


def test_purge_leaves_what_may_be_begun_again(store: Store, clock: HandClock) -> None:
    """A lost check keeps its inputs for as long as its result answers hooks: the next one starts it again."""
    job_id = taken(store).job_id
    clock.turn(LOST_AFTER)
    store.upkeep.purge()

    assert store.checks.revive(job_id)


def test_open_jobs_are_seen(store: Store, clock: HandClock) -> None:
    """A job that waits or runs is one that somebody waits for; one that ended or was lost is not."""
    idle = store.jobs.anybody_waits()
    first = begin(store)
    one = store.jobs.anybody_waits()
    store.jobs.fail(first.job_id, first.attempt, Failure.MODEL)
    ended = store.jobs.anybody_waits()
    store.jobs.claim(ask("g"))
    clock.turn(LIMIT)

    assert (idle, one, ended, store.jobs.anybody_waits()) == (False, True, False, False)
