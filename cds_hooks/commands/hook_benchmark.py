"""A hook call timed from the EHR's side, and the bare model on the same inputs beside it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import httpx
from pydantic import HttpUrl
from rich.console import Console
from rich.progress import track

from cds_hooks.commands.bench_processes import BenchFailed, Servers, started_servers
from cds_hooks.commands.figures import percentile, print_figures
from cds_hooks.commands.hook_client import HookAnswer, HookClient, Question, find_service
from cds_hooks.commands.stopping import fail, told_plainly
from cds_hooks.sandbox.bench_patients import bench_id
from cds_hooks.settings import ServiceSettings
from fhir_adapter.build import build_record
from fhir_adapter.collect import collect_chart
from fhir_adapter.deadline import Deadline
from fhir_adapter.images.dicomweb import DicomWeb
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.transport import open_http
from fhir_adapter.settings import FhirSettings
from inference.backends import Backend, BackendError, open_backend
from inference.backends.protocol import Arrays
from inference.checkpoint import Checkpoint, CheckpointError
from inference.encode import Encoder
from inference.figures import Figure

WARM_UP: Final = 3
"""Hooks before the counted ones: they pay for first imports and connections, once in the life of a process."""
TIMEOUT_S: Final = 30.0


@dataclass(slots=True)
class Timings:
    """Milliseconds of each counted call."""

    cold: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)
    model: list[float] = field(default_factory=list)


def run_hook_benchmark(cold: int, *, as_json: bool) -> None:
    """Measure and print.

    Raises:
        typer.Exit: a process did not start or a hook brought no finished card; said on stderr.
    """
    with told_plainly():
        try:
            settings = ServiceSettings()
            checkpoint = Checkpoint.load(settings.checkpoint)
            backend = open_backend(checkpoint, settings.triton_url, threads=settings.model_threads)
            with started_servers(copies=WARM_UP + cold) as servers:
                timings = asyncio.run(_measure(servers, Encoder(checkpoint), backend, cold))
            backend.close()
        except (BenchFailed, CheckpointError, BackendError, httpx.HTTPError) as error:
            raise fail(f"the benchmark failed: {error or type(error).__name__}") from None
        print_figures("bench hook", hook_figures(timings), as_json=as_json)


def hook_figures(timings: Timings) -> list[Figure]:
    """Return the figures of a run; the ratio is what everything around the model costs, in units of the model."""
    cold, model = percentile("hook.cold_p50_ms", timings.cold, 50), percentile("hook.model_p50_ms", timings.model, 50)
    ratio = (cold.value - model.value) / model.value
    return [
        cold,
        percentile("hook.cold_p95_ms", timings.cold, 95),
        percentile("hook.warm_p95_ms", timings.warm, 95),
        model,
        Figure("hook.around_model_ratio", ratio, "1", len(timings.cold)),
    ]


async def _measure(servers: Servers, encoder: Encoder, backend: Backend, cold: int) -> Timings:
    """Fire cold hooks and run the model in turn, so that a busy moment of the machine meets both; then warm hooks."""
    timings = Timings()
    patients = [bench_id(number) for number in range(WARM_UP + cold)]
    inputs = await _encode_all(servers, encoder, patients)
    async with httpx.AsyncClient(timeout=TIMEOUT_S) as http:
        client = HookClient(http, await find_service(http, servers.service))
        jobs: dict[str, str] = {}
        for number, patient in enumerate(_shown(patients, "cold")):
            answer = await client.fire(Question(patient, servers.fhir))
            jobs[patient] = _finished_job(answer)
            model_ms = _time_model(backend, inputs[number])
            if number >= WARM_UP:
                timings.cold.append(answer.milliseconds)
                timings.model.append(model_ms)
        for patient in _shown(patients, "warm"):
            timings.warm.append(await _fire_again(client, Question(patient, servers.fhir), jobs[patient]))
    return timings


async def _fire_again(client: HookClient, question: Question, job: str) -> float:
    """Fire the hook as an EHR that opens the chart a second time, prefetch and all, and return its milliseconds.

    Raises:
        BenchFailed: the answer is not the finished result of before.
    """
    answer = await client.fire(question, await client.prefetch(question))
    if _finished_job(answer) != job:
        raise BenchFailed("a hook about known inputs was computed anew")
    return answer.milliseconds


def _shown(patients: Sequence[str], title: str) -> Sequence[str]:
    """Show on stderr how far it is."""
    return (
        list(patients)
        if not Console(stderr=True).is_terminal
        else [*track(patients, description=title, console=Console(stderr=True), transient=True)]
    )


def _finished_job(answer: HookAnswer) -> str:
    """Return the job behind an answer's one card.

    Raises:
        BenchFailed: it is an error, or the card says that the analysis still runs.
    """
    about = [one for card in answer.cards for one in card.get("extension", {}).values()]
    if answer.problem or [one.get("state") for one in about] != ["done"]:
        raise BenchFailed(answer.problem or "a hook brought no finished card")
    return str(about[0]["job"])


def _time_model(backend: Backend, arrays: Arrays) -> float:
    """Return the milliseconds that the graph takes for one patient, explanation included."""
    start = time.perf_counter()
    backend.run(arrays)
    return (time.perf_counter() - start) * 1000


async def _encode_all(servers: Servers, encoder: Encoder, patients: Sequence[str]) -> list[Arrays]:
    """Return what the model is given about each patient, read from the same FHIR server."""
    fhir = FhirSettings(allowed_servers=(HttpUrl(servers.fhir), HttpUrl(servers.dicomweb)))
    now, made = datetime.now(UTC), []
    async with open_http(fhir) as http:
        client = FhirClient(http, servers.fhir, None, fhir)
        for patient in patients:
            deadline = Deadline.after(TIMEOUT_S)
            chart = await collect_chart(None, client, patient, deadline, asked_at=now)
            record = await build_record(chart, client, DicomWeb(http, fhir, client.base_url, None), now, deadline)
            made.append(encoder.encode(record, now).arrays)
    return made
