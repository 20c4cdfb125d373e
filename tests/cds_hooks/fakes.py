"""A pipeline without a model, and a service around it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import FastAPI

from cds_hooks.app import create_app
from cds_hooks.engine import Engine
from cds_hooks.judgement import Judgement
from cds_hooks.pipeline import Case, Pipeline
from cds_hooks.settings import ServiceSettings
from explain.tested import Tested
from fhir_adapter.deadline import Deadline
from fhir_adapter.settings import FhirSettings
from tests.cds_hooks.samples import MODEL_CARD, make_judgement, make_tested


@dataclass
class FakePipeline:
    """Answers what it is told to, at once or when it is let go; notes what it was asked.

    Attributes:
        outcome: the judgement, or the error to raise.
        ready: whether the model answers about nobody.
        opening_error: what opening the model fails with.
        held: jobs wait here until `let_go`.
        tested: what a check finds out, or the error it raises.
        checks: inputs of the checks that were begun.
        pieces: how many pieces of work a check has, each after a pause.
        on_piece: called in the check's thread with the number of each piece.
        trace: what was done, in its order.
    """

    outcome: Judgement | Exception = field(default_factory=make_judgement)
    ready: bool = True
    opening_error: Exception | None = None
    cases: list[Case] = field(default_factory=list)
    held: threading.Event | None = None
    closed: bool = False
    tested: Tested | Exception = field(default_factory=make_tested)
    checks: list[bytes] = field(default_factory=list)
    pieces: int = 3
    on_piece: Callable[[int], None] = lambda _: None
    trace: list[str] = field(default_factory=list)

    async def judge(self, case: Case, deadline: Deadline) -> Judgement:
        """Note the case and answer."""
        self.trace.append("job begun")
        self.cases.append(case)
        held = self.held
        while not (held is None or held.is_set()):  # noqa: ASYNC110 - let go by another thread
            await asyncio.sleep(0.002)
        self.trace.append("job ended")
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    async def check(self, inputs: bytes, pause: Callable[[], None]) -> Tested:
        """Note the check, do its pieces, and answer."""
        return await asyncio.to_thread(self._check, inputs, pause)

    def _check(self, inputs: bytes, pause: Callable[[], None]) -> Tested:
        self.checks.append(inputs)
        for number in range(self.pieces):
            pause()
            self.trace.append(f"piece {number}")
            self.on_piece(number)
        if isinstance(self.tested, Exception):
            raise self.tested
        return self.tested

    def hold(self) -> None:
        """Let the next jobs wait."""
        self.held = threading.Event()

    def let_go(self) -> None:
        """Let the jobs that wait go on."""
        if self.held is not None:
            self.held.set()

    async def healthy(self) -> bool:
        """Say what it was told to."""
        return self.ready

    async def close(self) -> None:
        """Note it."""
        self.closed = True


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does.

    Raises:
        TimeoutError: it did not happen within ten seconds.
    """
    pause, until = threading.Event(), time.monotonic() + 10
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError("what was waited for did not happen")
        pause.wait(0.002)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does, without blocking the loop."""
    await asyncio.to_thread(wait_until, condition)


def make_engine(pipeline: FakePipeline, **changes: Any) -> Engine:
    """Return an engine around a pipeline that is there already."""

    async def open_pipeline() -> Pipeline:
        return pipeline

    return Engine(**{"card": MODEL_CARD, "open_pipeline": open_pipeline, **changes})


def make_settings(**changes: Any) -> ServiceSettings:
    """Return settings of a service that keeps nothing, and answers in its own time."""
    wanted = {"database_url": "sqlite://", "answer_within_s": 10.0, "log_level": "ERROR", **changes}
    return ServiceSettings(**wanted)


@dataclass(frozen=True)
class Running:
    """A service that runs, as a client sees it."""

    app: FastAPI
    client: httpx.AsyncClient
    pipeline: FakePipeline

    @property
    def store(self) -> Any:
        """What the service remembers."""
        return self.app.state.parts.store

    async def fire(self, hook: Any, **headers: str) -> httpx.Response:
        """Call the hook."""
        return await self.client.post("/cds-services/mllm-diagnosis", json=hook, headers=headers)


@asynccontextmanager
async def running(
    pipeline: FakePipeline | None = None,
    settings: ServiceSettings | None = None,
    fhir: FhirSettings | None = None,
    engine: Callable[[FakePipeline], Engine] = make_engine,
) -> AsyncIterator[Running]:
    """Run a service in this process, its worker and queue included, without a socket."""
    pipeline = pipeline or FakePipeline()
    app = create_app(settings or make_settings(), fhir or FhirSettings(), engine=engine(pipeline))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://cds.test") as client,
    ):
        yield Running(app, client, pipeline)
