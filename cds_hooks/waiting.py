"""Job id -> its end, noticed while the event loop goes on with other requests.

The database is asked, not a Celery result back end: a hook may join a job that another replica enqueued, and then
only the database knows both. One query every few milliseconds serves all that wait, however many they are. A worker
in the same process rings a bell as well, so that nobody waits for the next query.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Collection
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from cds_hooks.store.states import Status
from fhir_adapter.deadline import Deadline

POLL_S: Final = 0.005
Ended = Callable[[Collection[str]], dict[str, Status]]


class Waiter:
    """Waits for jobs of one process."""

    def __init__(self, ended: Ended) -> None:
        """Take the blocking query that returns those of some jobs that have ended."""
        self._ended = ended
        self._waiting: defaultdict[str, set[asyncio.Future[Status]]] = defaultdict(set)
        self._poller: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._bell = asyncio.Event()

    def ring(self) -> None:
        """Have the database asked now; may be called from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._bell.set)

    async def wait(self, job_id: str, deadline: Deadline) -> Status | None:
        """Return how a job ended, or None when it has not by the deadline.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database is down.
        """
        self._loop = asyncio.get_running_loop()
        future = self._loop.create_future()
        self._waiting[job_id].add(future)
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll())
        try:
            return await asyncio.wait_for(future, deadline.remaining())
        except TimeoutError:
            return None
        finally:
            self._forget(job_id, future)

    def _forget(self, job_id: str, future: asyncio.Future[Status]) -> None:
        self._waiting[job_id].discard(future)
        if not self._waiting[job_id]:
            del self._waiting[job_id]

    async def _poll(self) -> None:
        while self._waiting:
            try:
                ended = await asyncio.to_thread(self._ended, list(self._waiting))
            except SQLAlchemyError as error:
                self._tell_all(error)
                return
            for job_id, status in ended.items():
                for future in self._waiting.get(job_id, ()):
                    if not future.done():
                        future.set_result(status)
            await self._pause()

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._bell.wait(), POLL_S)
        self._bell.clear()

    def _tell_all(self, error: SQLAlchemyError) -> None:
        for future in {future for group in self._waiting.values() for future in group}:
            if not future.done():
                future.set_exception(error)

    async def close(self) -> None:
        """Stop asking."""
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.gather(self._poller, return_exceptions=True)
