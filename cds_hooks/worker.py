"""Celery's workers around a JobRunner: inside the web process, or as a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from celery import Celery
from celery.contrib.testing.worker import start_worker
from celery.signals import worker_ready
from celery.worker import state

from cds_hooks.checker import Checker
from cds_hooks.jobs import CHECK_TASK, TASK, JobQueue, QueueDown, make_celery
from cds_hooks.log import configure_logging, get_logger
from cds_hooks.narrating import open_narrate
from cds_hooks.pipeline import OpenPipeline
from cds_hooks.right_of_way import RightOfWay
from cds_hooks.runner import JobRunner
from cds_hooks.settings import ServiceSettings
from cds_hooks.store.opening import Store, open_store

WAKE: Final = "mllm_cds.wake"
STOP_WITHIN_S: Final = 10.0
log = get_logger()


@contextmanager
def embedded_worker(celery: Celery, runner: JobRunner, checker: Checker, threads: int) -> Iterator[None]:
    """Run a worker in this process for as long as the context lasts."""
    register(celery, runner, checker)
    runner.start()
    checker.start()
    try:
        # Celery's only worker that starts and stops inside another program; nothing of it is for tests alone.
        with start_worker(
            celery, perform_ping_check=False, shutdown_timeout=STOP_WITHIN_S, loglevel="WARNING", **_pool(threads)
        ):
            runner.announce()
            yield
            checker.stop()
            runner.cancel()
            _wake_to_stop(celery)
    finally:
        checker.stop()
        runner.stop()


def _wake_to_stop(celery: Celery) -> None:
    # The loop looks at this flag between messages, for which it waits up to two seconds, and having seen it waits for
    # one more (celery.worker.loops.synloop): send two.
    state.should_terminate = 0
    for _ in range(2):
        celery.send_task(WAKE, ignore_result=True)


def run_worker(settings: ServiceSettings, open_pipeline: OpenPipeline, seal: str) -> int:
    """Take jobs from the broker until SIGTERM or SIGINT, and return the exit status; jobs in hand are finished first.

    Raises:
        ValueError: the settings embed the worker in the web process.
    """
    if settings.embedded:
        raise ValueError("CDS_BROKER_URL=memory:// runs the worker inside `mllm-cds serve`: start that instead.")
    configure_logging(settings.log_level, settings.log_format)
    store = open_store(settings)
    store.database.create_tables()
    celery = make_celery(settings, seal)
    runner = JobRunner(settings, store, open_pipeline, seal)
    checker = open_checker(settings, store, runner, RightOfWay(store.jobs.anybody_waits))
    register(celery, runner, checker)
    runner.start()
    checker.start()
    log.info("worker_started", worker=runner.worker_id, model=seal[:12])
    try:
        return _serve(celery, runner, settings.worker_threads)
    finally:
        checker.stop()
        runner.stop()
        store.close()
        log.info("worker_stopped", worker=runner.worker_id)


def _serve(celery: Celery, runner: JobRunner, threads: int) -> int:
    def announce(**_: object) -> None:
        runner.announce()

    alone = {"without_mingle": True, "without_gossip": True, "without_heartbeat": True}
    worker = celery.Worker(quiet=True, loglevel="WARNING", **alone, **_pool(threads))
    # Not before: whoever sees a sign of life may count on jobs being taken, and on SIGTERM being understood.
    worker_ready.connect(announce, weak=False)
    try:
        worker.start()
    finally:
        worker_ready.disconnect(announce)
    return int(worker.exitcode or 0)


def _pool(threads: int) -> dict[str, Any]:
    # Never prefork: a process forked after the model is loaded shares locks that its threads no longer hold.
    return {"pool": "threads", "concurrency": threads}


def open_checker(settings: ServiceSettings, store: Store, runner: JobRunner, way: RightOfWay) -> Checker:
    """Return the checker of a worker, with the narrator that the settings name."""
    return Checker(settings, store, runner, way, open_narrate(settings))


def register(celery: Celery, runner: JobRunner, checker: Checker) -> None:
    """Teach a Celery application its three tasks."""
    queue = JobQueue(celery)

    # Not shared: Celery would give the tasks of one service to every other in the process.
    @celery.task(name=TASK, shared=False)  # type: ignore[untyped-decorator]
    def judge(job_id: str) -> None:
        with checker.way.first():
            unchecked = runner.run(job_id)
        if unchecked:
            _enqueue_check(queue, job_id)

    @celery.task(name=CHECK_TASK, shared=False)  # type: ignore[untyped-decorator]
    def check(job_id: str) -> None:
        checker.put(job_id)

    @celery.task(name=WAKE, shared=False)  # type: ignore[untyped-decorator]
    def wake() -> None:
        """Do nothing: having been received is enough."""


def _enqueue_check(queue: JobQueue, job_id: str) -> None:
    try:
        queue.put_check(job_id)
    except QueueDown:
        # Whoever looks at the page after the check's limit puts it into the queue again.
        log.exception("queue_down", part="queue", job_id=job_id)
