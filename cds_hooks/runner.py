"""Job id -> the case judged and its result stored, on the one event loop that a worker keeps for its life."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
import uuid
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from cds_hooks.judgement import Judgement
from cds_hooks.log import get_logger
from cds_hooks.pipeline import Case, OpenPipeline, Pipeline
from cds_hooks.settings import ServiceSettings
from cds_hooks.store.audit import Entry, What
from cds_hooks.store.opening import Store
from cds_hooks.store.states import Failure, Started
from explain.tested import Tested
from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import FhirError
from inference.backends import BackendError
from inference.checkpoint import CheckpointError

BEAT_S: Final = 10.0
"""How often a worker asks its model about nobody, and notes whether it answered."""
log = get_logger()
Result = TypeVar("Result")


class ModelMissing(Exception):
    """The worker has no model to judge with."""


class JobRunner:
    """Runs jobs for Celery's threads; HTTP connections and model live on its own loop, and as long as it does."""

    def __init__(
        self,
        settings: ServiceSettings,
        store: Store,
        open_pipeline: OpenPipeline,
        model: str,
        on_end: Callable[[], None] = lambda: None,
    ) -> None:
        """Take what a worker works with; `on_end` is called, in any thread, when a job has ended."""
        self.worker_id = uuid.uuid4().hex
        self._limit_s = settings.job_limit_s
        self._store = store
        self._open_pipeline = open_pipeline
        self._model = model
        self._on_end = on_end
        self._pipeline: Pipeline | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="job-runner", daemon=True)
        self._beating: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the loop and open the pipeline; a model that cannot be opened is tried again with every beat."""
        self._thread.start()
        self._call(self._open())

    def announce(self) -> None:
        """Give signs of life from now on: to be called when jobs are taken."""
        self._call(self._begin())

    def stop(self) -> None:
        """Cancel what runs, close the pipeline and end the loop."""
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cancel(self) -> None:
        """Give up the jobs in hand; they count as failed, and the next hook starts them again."""
        self._call(self._cancel_others())

    def run(self, job_id: str) -> bool:
        """Run one job; whatever happens is noted in the database and the log, never raised to the queue.

        Returns:
            True when a result was stored that is to be checked now.
        """
        began, started = time.perf_counter(), None
        try:
            started = self._store.jobs.start(job_id)
            if started is None:
                log.info("job_skipped", job_id=job_id)
                return False
            judgement = self._call(self._judge(started))
            kept = self._store.results.finish(started, judgement)
            self._on_end()
            self._store.upkeep.record(Entry(What.JOB_RUN, job_id=job_id))
            log.info("job_done" if kept else "job_superseded", job_id=job_id, attempt=started.attempt, **took(began))
        except Exception as error:  # noqa: BLE001  # the task edge: a job that fails must not take the worker with it
            self._fail(job_id, started, error, began)
            return False
        return kept and judgement.check is not None

    def check(self, inputs: bytes, pause: Callable[[], None]) -> Tested:
        """Run the second tier of one result, see `pipeline.Pipeline.check`; blocks for as long as that takes.

        Raises:
            ModelMissing: the model could not be opened.
            concurrent.futures.CancelledError: the worker stops.
        """
        return self._call(self._check(inputs, pause))

    def _fail(self, job_id: str, started: Started | None, error: Exception, began: float) -> None:
        reason = reason_of(error)
        log.error("job_failed", job_id=job_id, reason=reason, exc_info=error, **took(began))
        if started is not None:
            # Without a database the job is lost, and the next hook starts it again.
            with contextlib.suppress(SQLAlchemyError):
                self._store.jobs.fail(job_id, started.attempt, reason)
            self._on_end()

    async def _judge(self, started: Started) -> Judgement:
        pipeline = self._opened()
        case = Case.from_json(started.inputs)
        deadline = Deadline.after(self._limit_s)
        async with asyncio.timeout(self._limit_s):
            return await pipeline.judge(case, deadline)

    async def _check(self, inputs: bytes, pause: Callable[[], None]) -> Tested:
        return await self._opened().check(inputs, pause)

    def _opened(self) -> Pipeline:
        if self._pipeline is None:
            raise ModelMissing("the model could not be opened: see the log of the worker's start")
        return self._pipeline

    async def _begin(self) -> None:
        await self._beat()
        self._beating = asyncio.create_task(self._keep_beating())

    async def _keep_beating(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            await self._beat()

    async def _beat(self) -> None:
        await self._open()
        ready = self._pipeline is not None and await self._pipeline.healthy()
        if not ready:
            log.error("model_not_ready", worker=self.worker_id)
        try:
            await asyncio.to_thread(self._store.upkeep.beat, self.worker_id, self._model, model_ready=ready)
        except SQLAlchemyError:
            log.exception("beat_not_noted", worker=self.worker_id)

    async def _open(self) -> None:
        if self._pipeline is not None:
            return
        began = time.perf_counter()
        try:
            self._pipeline = await self._open_pipeline()
        except (BackendError, CheckpointError, OSError):
            log.exception("model_not_opened", worker=self.worker_id)
        else:
            log.info("model_opened", worker=self.worker_id, model=self._model[:12], **took(began))

    @staticmethod
    async def _cancel_others() -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _end(self) -> None:
        await self._cancel_others()
        if self._pipeline is not None:
            await self._pipeline.close()
        with contextlib.suppress(SQLAlchemyError):
            await asyncio.to_thread(self._store.upkeep.leave, self.worker_id)

    def _call(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


def reason_of(error: Exception) -> Failure:
    """Return which part failed."""
    if isinstance(error, TimeoutError):
        return Failure.TIME
    if isinstance(error, (BackendError, ModelMissing)):
        return Failure.MODEL
    return Failure.CHART if isinstance(error, FhirError) else Failure.INTERNAL


def took(began: float) -> dict[str, float]:
    """Return the milliseconds since a reading of `time.perf_counter`, as an event has them."""
    return {"duration_ms": round((time.perf_counter() - began) * 1000, 1)}
