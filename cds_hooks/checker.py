"""Job id -> its explanation tested, and what was found stored; one at a time, behind all that somebody waits for.

Celery's threads only hand a check over, and are free for the next job at once: checks wait here, in a thread of their
own.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import replace
from queue import SimpleQueue
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from cds_hooks.judgement import with_tested
from cds_hooks.log import get_logger
from cds_hooks.narrating import Narrate
from cds_hooks.right_of_way import RightOfWay, Stopped
from cds_hooks.runner import JobRunner, ModelMissing, reason_of, took
from cds_hooks.settings import ServiceSettings
from cds_hooks.store.audit import Entry, What
from cds_hooks.store.checks import StartedCheck
from cds_hooks.store.opening import Store
from explain.tested import Tested, Told
from inference.backends import BackendUnavailable

RENEW_AFTER_S: Final = 1.0
"""A check that has given way for this long says that it still goes on."""
STOP_WITHIN_S: Final = 5.0
log = get_logger()


class Superseded(Exception):
    """The check was given to another worker while this one gave way."""


class Pause:
    """What one check calls between two pieces of its work."""

    def __init__(self, way: RightOfWay, limit_s: float, renew: Callable[[], bool]) -> None:
        """Take what to give way to, the seconds of work allowed, and what says that the check goes on."""
        self._way, self._renew = way, renew
        self._until = time.monotonic() + limit_s
        self._silent_s = 0.0

    def __call__(self) -> None:
        """Give way; the time that takes is not counted against the limit.

        Raises:
            Stopped: the process ends.
            Superseded: another worker has the check.
            TimeoutError: the check has worked for longer than its limit.
        """
        waited = self._way.give_way()
        self._until += waited
        self._silent_s += waited
        if time.monotonic() > self._until:
            raise TimeoutError("the check took longer than CDS_CHECK_LIMIT_S allows")
        if self._silent_s >= RENEW_AFTER_S:
            self._silent_s = 0.0
            if not self._renew():
                raise Superseded


class Checker:
    """Runs the checks of one worker process."""

    def __init__(
        self,
        settings: ServiceSettings,
        store: Store,
        runner: JobRunner,
        way: RightOfWay,
        narrate: Narrate | None = None,
    ) -> None:
        """Take what a check works with; `narrate` words the tested claims again, where a narrator is set up."""
        self._limit_s = settings.check_limit_s
        self.way = way
        self._store, self._runner, self._narrate = store, runner, narrate
        self._waiting: SimpleQueue[str | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="checker", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def put(self, job_id: str) -> None:
        """Have a check run when its turn comes; returns at once."""
        self._waiting.put(job_id)

    def stop(self) -> None:
        """End the check in hand at its next pause and take no other; whoever looks at its page next starts it again."""
        self.way.stop()
        self._waiting.put(None)
        self._thread.join(STOP_WITHIN_S)

    def _work(self) -> None:
        while (job_id := self._waiting.get()) is not None:
            self.run(job_id)

    def run(self, job_id: str) -> None:
        """Run one check; whatever happens is noted in the database and the log, never raised."""
        began, check = time.perf_counter(), None
        try:
            self.way.give_way()
            check = self._store.checks.start(job_id)
            if check is None:
                log.info("check_skipped", job_id=job_id)
                return
            kept = self._store.checks.finish(check, self._found(check))
            self._store.upkeep.record(Entry(What.CHECK_RUN, job_id=job_id))
            log.info("check_done" if kept else "check_superseded", job_id=job_id, attempt=check.attempt, **took(began))
        except Exception as error:  # noqa: BLE001  # the task edge: a check that fails must not take the worker with it
            self._end(job_id, check, error, began)

    def _found(self, check: StartedCheck) -> Tested:
        pause = Pause(self.way, self._limit_s, lambda: self._store.checks.renew(check))
        tested = self._runner.check(check.inputs, pause)
        return tested if self._narrate is None else replace(tested, told=self._told(check, tested, self._narrate))

    def _told(self, check: StartedCheck, tested: Tested, narrate: Narrate) -> Told | None:
        began = time.perf_counter()
        self._store.checks.renew(check)
        judgement = self._store.results.judgement(check.job_id)
        try:
            told = narrate(with_tested(judgement, tested))
        except Exception as error:  # a plug-in: its failure is none of the check
            log.warning("narrator_failed", job_id=check.job_id, exc_info=error, **took(began))
            return None
        state = "refused" if told.refused else "told"
        log.info("narrator_done", job_id=check.job_id, state=state, **took(began))
        return told

    def _end(self, job_id: str, check: StartedCheck | None, error: Exception, began: float) -> None:
        stopped = isinstance(error, (Stopped, CancelledError, Superseded))
        write = log.info if stopped else log.error
        event = "check_let_go" if stopped else "check_failed"
        write(event, job_id=job_id, reason=reason_of(error), exc_info=error, **took(began))
        if check is None:
            return
        # Without a database the check is lost, and whoever looks at its page after its limit starts it again.
        with contextlib.suppress(SQLAlchemyError):
            if stopped or isinstance(error, (TimeoutError, ModelMissing, BackendUnavailable)):
                self._store.checks.let_go(check)
            else:
                self._store.checks.fail(check)
