from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError

from cds_hooks import runner as module
from cds_hooks.pipeline import Case, Pipeline
from cds_hooks.runner import JobRunner
from cds_hooks.store.opening import Store
from cds_hooks.store.states import Failure, JobState, Question, Status
from fhir_adapter.chart import Chart
from fhir_adapter.errors import ChartUnavailable
from fhir_adapter.record import GapReason
from inference.backends import BackendError, BackendUnavailable
from tests.cds_hooks.fakes import FakePipeline, make_settings, wait_until
from tests.cds_hooks.samples import ASKED_AT, PATIENT_ID, make_patient

CASE = Case(PATIENT_ID, None, None, Chart(make_patient()), None, ASKED_AT)
Run = Callable[[FakePipeline], JobRunner]


@pytest.fixture
def start(kept: Store) -> Iterator[Run]:
    """Return what starts a runner, which is stopped after the test."""
    runners: list[JobRunner] = []

    def begin(pipeline: FakePipeline, job_limit_s: float = 30.0) -> JobRunner:
        async def open_pipeline() -> Pipeline:
            if pipeline.opening_error is not None:
                raise pipeline.opening_error
            return pipeline

        settings = make_settings(job_limit_s=job_limit_s, answer_within_s=0.01)
        runners.append(JobRunner(settings, kept, open_pipeline, "m"))
        runners[-1].start()
        runners[-1].announce()
        return runners[-1]

    yield begin
    for runner in runners:
        runner.stop()


def claim(store: Store) -> str:
    """Make a job."""
    return store.jobs.claim(Question("f", "p", timedelta(hours=1), CASE.to_json)).job_id


def test_job_is_judged_and_stored(kept: Store, start: Run) -> None:
    """The worker judges the case of the hook and stores what comes out."""
    pipeline, job_id = FakePipeline(), claim(kept)
    start(pipeline).run(job_id)

    assert pipeline.cases == [CASE]
    assert kept.jobs.status(job_id) == Status(JobState.DONE)


def test_job_that_was_done_is_not_done_again(kept: Store, start: Run) -> None:
    """A message that comes twice, or too late, is skipped."""
    pipeline, job_id = FakePipeline(), claim(kept)
    runner = start(pipeline)
    runner.run(job_id)
    runner.run(job_id)
    runner.run("0" * 32)

    assert len(pipeline.cases) == 1


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (BackendUnavailable("down"), Failure.MODEL),
        (BackendError("broken"), Failure.MODEL),
        (ChartUnavailable(GapReason.REFUSED), Failure.CHART),
        (TimeoutError(), Failure.TIME),
        (ZeroDivisionError(), Failure.INTERNAL),
    ],
)
def test_failure_is_noted_with_the_part_that_failed(kept: Store, start: Run, error: Exception, reason: Failure) -> None:
    """Whatever a case does, the worker goes on, and the job says which part failed."""
    job_id = claim(kept)
    start(FakePipeline(error)).run(job_id)

    assert kept.jobs.status(job_id) == Status(JobState.FAILED, reason)


def test_job_is_given_up_at_its_limit(kept: Store, start: Callable[..., JobRunner]) -> None:
    """A job that hangs is ended by the worker itself."""
    pipeline, job_id = FakePipeline(), claim(kept)
    pipeline.hold()
    start(pipeline, job_limit_s=0.05).run(job_id)

    assert kept.jobs.status(job_id) == Status(JobState.FAILED, Failure.TIME)


def test_worker_without_a_model_says_so(kept: Store, start: Run) -> None:
    """Where the model cannot be opened jobs fail for that reason, and the sign of life says not ready."""
    job_id = claim(kept)
    start(FakePipeline(opening_error=BackendError("no graph"))).run(job_id)

    assert kept.jobs.status(job_id) == Status(JobState.FAILED, Failure.MODEL)
    assert kept.upkeep.living("m") == (False,)


def test_model_is_tried_again(kept: Store, start: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that comes up later is used without a restart."""
    monkeypatch.setattr(module, "BEAT_S", 0.01)
    pipeline = FakePipeline(opening_error=BackendError("Triton is starting"))
    start(pipeline)
    pipeline.opening_error = None
    wait_until(lambda: kept.upkeep.living("m") == (True,))

    assert kept.upkeep.living("m") == (True,)


def test_ready_means_that_the_model_answers(kept: Store, start: Run) -> None:
    """A worker whose model does not answer about nobody is alive, but not ready."""
    start(replace(FakePipeline(), ready=False))

    assert kept.upkeep.living("m") == (False,)


def test_stopping_closes_the_model_and_says_goodbye(kept: Store) -> None:
    """A worker that stops gives its model back and no longer counts as alive."""
    pipeline = FakePipeline()

    async def open_pipeline() -> Pipeline:
        return pipeline

    runner = JobRunner(make_settings(), kept, open_pipeline, "m")
    runner.start()
    runner.announce()
    runner.stop()

    assert (pipeline.closed, kept.upkeep.living("m")) == (True, ())


def test_stopping_ends_jobs_in_hand(kept: Store, start: Run) -> None:
    """A job that is cut off by a stop is marked as failed, so that the next hook starts it again."""
    pipeline, job_id = FakePipeline(), claim(kept)
    pipeline.hold()
    runner = start(pipeline)
    thread = threading.Thread(target=runner.run, args=(job_id,))
    thread.start()
    wait_until(lambda: bool(pipeline.cases))
    runner.cancel()
    thread.join()

    assert kept.jobs.status(job_id).state is JobState.FAILED


def test_database_that_is_down_does_not_end_the_worker(
    kept: Store, start: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a database a job is lost, not the worker; the next hook starts it again."""

    def down(*_: object, **__: object) -> None:
        raise OperationalError("select", {}, Exception())

    job_id = claim(kept)
    runner = start(FakePipeline())
    monkeypatch.setattr(type(kept.results), "finish", down)
    monkeypatch.setattr(type(kept.jobs), "fail", down)
    runner.run(job_id)

    assert kept.jobs.status(job_id).state is JobState.RUNNING
