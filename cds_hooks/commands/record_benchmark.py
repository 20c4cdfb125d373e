"""Reading of a short and of a long chart timed side by side, and of a large prefetch."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import httpx
import numpy as np
from pydantic import HttpUrl

from cds_hooks.commands.bench_processes import BenchFailed, started_sandbox
from cds_hooks.commands.figures import percentile, print_figures
from cds_hooks.commands.stopping import fail, told_plainly
from cds_hooks.sandbox.long_charts import LONG, SHORT, Length, long_chart, prefetch_of
from fhir_adapter.build import build_record
from fhir_adapter.collect import collect_chart
from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import FhirError
from fhir_adapter.images.dicomweb import DicomWeb
from fhir_adapter.record import PatientRecord
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.transport import open_http
from fhir_adapter.settings import FhirSettings
from inference.figures import Figure

WARM_UP: Final = 3
TIMEOUT_S: Final = 30.0
PREFETCHED: Final = 2000
MIB: Final = 2**20
RESAMPLES: Final = 2000


@dataclass(slots=True)
class Readings:
    """Milliseconds of each reading, and the most memory one took, in bytes above what was held before."""

    short: list[float] = field(default_factory=list)
    long: list[float] = field(default_factory=list)
    prefetched: list[float] = field(default_factory=list)
    peak_short: int = 0
    peak_long: int = 0


@dataclass(frozen=True, slots=True)
class Reader:
    """What is needed to read a chart."""

    http: httpx.AsyncClient
    client: FhirClient
    settings: FhirSettings

    async def read(self, patient_id: str) -> PatientRecord:
        """Read a chart from the server, its film included.

        Raises:
            BenchFailed: not everything was read.
        """
        now, deadline = datetime.now(UTC), Deadline.after(TIMEOUT_S)
        chart = await collect_chart(None, self.client, patient_id, deadline, asked_at=now)
        dicomweb = DicomWeb(self.http, self.settings, self.client.base_url, None)
        record = await build_record(chart, self.client, dicomweb, now, deadline)
        if not (record.measurements and record.notes and record.films):
            raise BenchFailed("a chart was not read whole: " + "; ".join(map(str, record.gaps)))
        return record


def run_record_benchmark(rounds: int, *, as_json: bool) -> None:
    """Measure and print.

    Raises:
        typer.Exit: a server did not start, or a chart was not read whole; said on stderr.
    """
    with told_plainly():
        try:
            with started_sandbox("--long-charts") as (fhir, dicomweb):
                readings = asyncio.run(measure(fhir, dicomweb, rounds))
        except (BenchFailed, FhirError, httpx.HTTPError) as error:
            raise fail(f"the benchmark failed: {error or type(error).__name__}") from None
        print_figures("bench record", record_figures(readings), as_json=as_json)


def record_figures(readings: Readings) -> list[Figure]:
    """Return the figures of a run; growth is the median over pairs read one after the other."""
    return [
        _growth(readings),
        percentile("record.prefetch_2000_ms", readings.prefetched, 50),
        percentile("record.short_p50_ms", readings.short, 50),
        percentile("record.long_p50_ms", readings.long, 50),
        Figure("record.memory_growth_ratio", readings.peak_long / readings.peak_short, "1", 1),
        Figure("record.memory_mib", readings.peak_long / MIB, "MiB", 1),
    ]


def _growth(readings: Readings) -> Figure:
    ratios = np.array(readings.long) / np.array(readings.short)
    # Fixed seed: the interval of the same numbers is the same.
    drawn = np.random.default_rng(0).choice(ratios, size=(RESAMPLES, len(ratios)))
    low, high = np.percentile(np.median(drawn, axis=1), [2.5, 97.5])
    return Figure("record.growth_ratio", float(np.median(ratios)), "1", len(ratios), float(low), float(high))


async def measure(fhir: str, dicomweb: str, rounds: int) -> Readings:
    """Read both charts so many times in turn, and then the prefetch.

    Raises:
        BenchFailed: a chart was not read whole.
        FhirError: a chart could not be read.
    """
    settings = FhirSettings(allowed_servers=(HttpUrl(fhir), HttpUrl(dicomweb)))
    readings = Readings()
    async with open_http(settings) as http:
        reader = Reader(http, FhirClient(http, fhir, None, settings), settings)
        # In turn, so that a busy moment of the machine meets both.
        for number in range(WARM_UP + rounds):
            for patient_id, times in ((SHORT, readings.short), (LONG, readings.long)):
                start = time.perf_counter()
                await reader.read(patient_id)
                if number >= WARM_UP:
                    times.append((time.perf_counter() - start) * 1000)
        readings.peak_short, readings.peak_long = await _peak(reader, SHORT), await _peak(reader, LONG)
    readings.prefetched = await _read_prefetched(rounds)
    return readings


async def _peak(reader: Reader, patient_id: str) -> int:
    tracemalloc.start()
    try:
        await reader.read(patient_id)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def _read_prefetched(rounds: int) -> list[float]:
    """Time the way from a prefetch, as it stands in the parsed request, to the record; nothing can be fetched."""
    now = datetime.now(UTC)
    samples = long_chart(SHORT, Length(PREFETCHED, 1, 1), now, "http://archive.invalid")
    prefetch, times = prefetch_of(samples, PREFETCHED), []
    for number in range(WARM_UP + rounds):
        start = time.perf_counter()
        record = await _record_of(prefetch, now)
        if number >= WARM_UP:
            times.append((time.perf_counter() - start) * 1000)
        if not record.measurements:
            raise BenchFailed("the prefetch was not read")
    return times


async def _record_of(prefetch: Mapping[str, Any], now: datetime) -> PatientRecord:
    deadline = Deadline.after(TIMEOUT_S)
    chart = await collect_chart(prefetch, None, SHORT, deadline, asked_at=now)
    return await build_record(chart, None, None, now, deadline)
