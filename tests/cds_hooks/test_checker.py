from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from dataclasses import replace
from typing import Any

import pytest

from cds_hooks.checker import Checker, Pause, Superseded
from cds_hooks.pipeline import Pipeline
from cds_hooks.right_of_way import RightOfWay, Stopped
from cds_hooks.runner import JobRunner
from cds_hooks.store.checks import ATTEMPTS
from cds_hooks.store.opening import Store
from cds_hooks.store.states import Checked
from explain.tested import Told
from inference.backends import BackendError, BackendMismatch, BackendUnavailable
from tests.cds_hooks.fakes import FakePipeline, make_settings, wait_until
from tests.cds_hooks.samples import CHECK, TOLD, make_judgement, make_tested
from tests.cds_hooks.test_store_jobs import ask, begin

Run = Callable[..., Checker]


@pytest.fixture
def start(kept: Store) -> Iterator[Run]:
    """Return what starts a checker with a worker, both of which are stopped after the test."""
    parts: list[Any] = []

    def make(pipeline: FakePipeline, **changes: Any) -> Checker:
        async def open_pipeline() -> Pipeline:
            if pipeline.opening_error is not None:
                raise pipeline.opening_error
            return pipeline

        runner = JobRunner(make_settings(), kept, open_pipeline, "m")
        runner.start()
        checker = Checker(make_settings(), kept, runner, RightOfWay(), **changes)
        checker.start()
        parts.extend([checker, runner])
        return checker

    yield make
    for part in parts:
        part.stop()


def finished(store: Store, fingerprint: str = "f") -> str:
    """Finish a job that is to be checked."""
    started = begin(store, ask(fingerprint))
    store.results.finish(started, make_judgement(check=CHECK))
    return started.job_id


def attempts_left(store: Store, job_id: str) -> bool:
    """Say whether whoever looks next starts the check again."""
    return store.checks.revive(job_id)


def test_check_is_run_and_stored(kept: Store, start: Run) -> None:
    """The worker checks what the job left for it, and what it finds out belongs to the result from then on."""
    pipeline, job_id = FakePipeline(), finished(kept)
    start(pipeline).run(job_id)

    assert pipeline.checks == [CHECK]
    assert kept.checks.state(job_id) is Checked.DONE
    assert kept.results.judgement(job_id).explanation.tested == make_tested()


def test_one_check_at_a_time(kept: Store, start: Run) -> None:
    """A second check begins when the first has ended, and whoever hands one over waits for neither."""
    first_piece, go_on, pipeline = threading.Event(), threading.Event(), FakePipeline()

    def hold(number: int) -> None:
        if not go_on.is_set():
            first_piece.set()
            go_on.wait(10)

    pipeline.on_piece = hold
    checker, jobs = start(pipeline), [finished(kept, "a"), finished(kept, "b")]
    for job_id in jobs:
        checker.put(job_id)
    first_piece.wait(10)
    meanwhile = len(pipeline.checks)
    go_on.set()
    wait_until(lambda: kept.checks.state(jobs[1]) is Checked.DONE)

    assert (meanwhile, len(pipeline.checks)) == (1, 2)
    assert pipeline.trace == ["piece 0", "piece 1", "piece 2"] * 2


def test_check_that_was_done_is_not_done_again(kept: Store, start: Run) -> None:
    """A message that comes twice, or about nothing, is skipped."""
    pipeline, job_id = FakePipeline(), finished(kept)
    checker = start(pipeline)
    for message in (job_id, job_id, "0" * 32):
        checker.run(message)

    assert len(pipeline.checks) == 1


@pytest.mark.parametrize(
    "error", [ValueError("of another version"), ZeroDivisionError(), BackendMismatch("x"), BackendError("x")]
)
def test_check_that_would_fail_again_is_given_up(kept: Store, start: Run, error: Exception) -> None:
    """What fails because of what it is does not fail three times; the worker goes on."""
    job_id = finished(kept)
    start(FakePipeline(tested=error)).run(job_id)

    assert kept.checks.state(job_id) is Checked.FAILED
    assert not attempts_left(kept, job_id)


def test_figure_that_is_none_fails_the_check(kept: Store, start: Run) -> None:
    """What could not be read back is not stored: a page would break on it for hours."""
    job_id = finished(kept)
    start(FakePipeline(tested=make_tested(residual=float("nan")))).run(job_id)

    assert kept.checks.state(job_id) is Checked.FAILED
    assert kept.results.judgement(job_id).explanation.tested is None


@pytest.mark.parametrize("error", [TimeoutError(), BackendUnavailable("down"), Stopped(), CancelledError()])
def test_check_that_may_succeed_later_is_tried_again(kept: Store, start: Run, error: Exception) -> None:
    """Too long, model down, worker stopped: whoever looks next starts the check again, until it was begun thrice."""
    job_id, checker = finished(kept), start(FakePipeline(tested=error))
    tried = 0
    while attempts_left(kept, job_id) or tried == 0:
        checker.run(job_id)
        tried += 1

    assert tried == ATTEMPTS
    assert kept.checks.state(job_id) is Checked.FAILED


def test_worker_without_a_model_leaves_the_check(kept: Store, start: Run) -> None:
    """A worker whose model cannot be opened leaves the check to another."""
    job_id = finished(kept)
    start(FakePipeline(opening_error=BackendError("no graph"))).run(job_id)

    assert kept.checks.state(job_id) is Checked.RUNNING
    assert attempts_left(kept, job_id)


def test_stopping_ends_the_check_in_hand(kept: Store, start: Run) -> None:
    """A worker that stops does not wait for a check to end, nor lose it."""
    begun, pipeline, job_id = threading.Event(), FakePipeline(pieces=1_000_000), finished(kept)
    pipeline.on_piece = lambda _: begun.set()
    checker = start(pipeline)
    checker.put(job_id)
    begun.wait(10)
    checker.stop()

    assert len(pipeline.trace) < pipeline.pieces
    assert attempts_left(kept, job_id)


def test_superseded_check_stores_nothing(kept: Store, start: Run) -> None:
    """A worker that comes back after its check was given to another leaves the other's result alone."""
    job_id = finished(kept)
    pipeline = FakePipeline(tested=make_tested("image"))

    def another_takes_it(number: int) -> None:
        if number == 0:
            with kept.database.write() as connection:
                connection.exec_driver_sql("UPDATE checks SET state = 'queued'")
            other = kept.checks.start(job_id)
            assert other is not None
            kept.checks.finish(other, make_tested())

    pipeline.on_piece = another_takes_it
    start(pipeline).run(job_id)

    assert kept.checks.tested(job_id) == make_tested()


def test_narrator_words_the_tested_claims(kept: Store, start: Run) -> None:
    """A narrator is given the claims as the test left them, and its words are kept with it."""
    given: list[Any] = []

    def narrate(judgement: Any) -> Told:
        given.append(judgement.explanation)
        return TOLD

    job_id = finished(kept)
    start(FakePipeline(), narrate=narrate).run(job_id)

    assert kept.checks.tested(job_id) == replace(make_tested(), told=TOLD)
    assert [given[0].tested, given[0].claims] == [make_tested(), kept.results.judgement(job_id).explanation.claims]


def test_narrator_that_fails_fails_no_check(kept: Store, start: Run) -> None:
    """Whatever a narrator does, the check is done, and the page keeps the template's sentences."""

    def narrate(_: Any) -> Told:
        raise ConnectionError

    job_id = finished(kept)
    start(FakePipeline(), narrate=narrate).run(job_id)

    assert (kept.checks.state(job_id), kept.checks.tested(job_id)) == (Checked.DONE, make_tested())


class Way(RightOfWay):
    """Lets everybody pass, and says how long that took."""

    def __init__(self, waits: float) -> None:
        super().__init__()
        self.waits = waits

    def give_way(self) -> float:
        """Return what it was told to."""
        return self.waits


def test_limit_is_of_work_alone() -> None:
    """Time spent giving way does not count: a check is not punished for politeness."""
    with pytest.raises(TimeoutError):
        Pause(Way(0.0), -1.0, lambda: True)()
    Pause(Way(3600.0), -1.0, lambda: True)()


def test_long_wait_is_told_to_the_database() -> None:
    """A check that gave way for seconds says that it goes on; moments are not worth a write."""
    said: list[bool] = []

    def renew() -> bool:
        said.append(True)
        return True

    pause = Pause(Way(0.3), 60.0, renew)
    for _ in range(9):
        pause()

    assert len(said) == 2


def test_check_that_was_given_away_ends() -> None:
    """A check that another worker took over, while this one gave way, is not worked on twice."""
    with pytest.raises(Superseded):
        Pause(Way(10.0), 60.0, lambda: False)()
