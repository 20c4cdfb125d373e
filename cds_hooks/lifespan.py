"""What lives as long as the process: database, queue, connections, housekeeping, and the worker where it is inside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack, asynccontextmanager, suppress
from typing import Any, Final

from celery import Celery
from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError

from cds_hooks.ahead.watching import watching
from cds_hooks.discovery import program_version
from cds_hooks.engine import Engine
from cds_hooks.jobs import JobQueue, make_celery
from cds_hooks.log import get_logger
from cds_hooks.parts import Parts
from cds_hooks.right_of_way import RightOfWay
from cds_hooks.settings import ServiceSettings
from cds_hooks.store.database import SchemaOutdated
from cds_hooks.store.opening import Store, open_store
from cds_hooks.waiting import Waiter
from fhir_adapter.rest.transport import open_http
from fhir_adapter.settings import FhirSettings

PURGE_EVERY_S: Final = 600.0
RETRY_S: Final = 2.0
START_WITHIN_S: Final = 1.0
"""How long the first requests wait for the database; `/healthz` must not wait for one that is down."""
log = get_logger()
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
Tables = asyncio.Future[None]
"""Done when the tables are there; fails when they are those of an earlier version."""


def make_lifespan(settings: ServiceSettings, fhir: FhirSettings, engine: Engine) -> Lifespan:
    """Return the application's lifespan, which puts `Parts` on `app.state`.

    It raises `SchemaOutdated`, so that the server does not start, where the database is that of an earlier version.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            store = open_store(settings)
            stack.push_async_callback(asyncio.to_thread, store.close)
            celery = make_celery(settings, engine.card.seal)
            queue = JobQueue(celery)
            stack.push_async_callback(asyncio.to_thread, queue.close)
            http = await stack.enter_async_context(open_http(fhir))
            waiter = Waiter(store.jobs.ended)
            stack.push_async_callback(waiter.close)
            way = RightOfWay(store.jobs.anybody_waits)
            app.state.parts = Parts(settings, fhir, engine, store, queue, waiter, http, way)
            tables: Tables = asyncio.get_running_loop().create_future()
            await stack.enter_async_context(_background(_keep_house(store, tables)))
            if settings.embedded:
                await stack.enter_async_context(_worker_inside(app.state.parts, celery, tables))
            if settings.watch.servers:
                watch = watching(app.state.parts, asyncio.shield(tables))
                app.state.watching = await stack.enter_async_context(watch)
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(tables), START_WITHIN_S)
            log.info("service_started", version=program_version(), model=engine.card.digest[:12])
            yield
        log.info("service_stopped")

    return lifespan


@asynccontextmanager
async def _background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _keep_house(store: Store, tables: Tables) -> None:
    """Create the tables, as soon as there is a database, and from then on delete what has expired."""
    while True:
        try:
            if not tables.done():
                await asyncio.to_thread(store.database.create_tables)
                tables.set_result(None)
            removed = await asyncio.to_thread(store.upkeep.purge)
            log.info("expired_removed", removed=removed)
        except SchemaOutdated as error:
            log.error("database_outdated", part="database", message=str(error))  # noqa: TRY400  # the sentence says it
            tables.set_exception(error)
            return
        except SQLAlchemyError:
            log.exception("database_down", part="database")
        await asyncio.sleep(PURGE_EVERY_S if tables.done() else RETRY_S)


@asynccontextmanager
async def _worker_inside(parts: Parts, celery: Celery, tables: Tables) -> AsyncIterator[None]:
    """Run the worker in this process. It starts in the background: until it is there, jobs wait in the queue."""
    stack = ExitStack()

    async def start() -> None:
        try:
            await asyncio.shield(tables)
            await asyncio.to_thread(_enter_worker, stack, parts, celery)
        except (RuntimeError, SchemaOutdated):
            log.exception("worker_not_started", part="worker")

    starting = asyncio.create_task(start())
    try:
        yield
    finally:
        # A start in its thread cannot be cancelled: it must be waited for, or the worker would outlive the service.
        if not tables.done():
            starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await asyncio.to_thread(stack.close)


def _enter_worker(stack: ExitStack, parts: Parts, celery: Celery) -> None:
    # Imported in this thread: requests are answered meanwhile, and a replica beside a broker needs neither.
    from cds_hooks.runner import JobRunner  # noqa: PLC0415
    from cds_hooks.worker import embedded_worker, open_checker  # noqa: PLC0415

    engine = parts.engine
    runner = JobRunner(parts.settings, parts.store, engine.open_pipeline, engine.card.seal, parts.waiter.ring)
    checker = open_checker(parts.settings, parts.store, runner, parts.way)
    stack.enter_context(embedded_worker(celery, runner, checker, parts.settings.worker_threads))
