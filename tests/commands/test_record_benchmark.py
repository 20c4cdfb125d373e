import asyncio

from cds_hooks.commands.bench_processes import started_sandbox
from cds_hooks.commands.record_benchmark import Readings, measure, record_figures


def test_growth_is_the_median_of_pairs() -> None:
    """Each long reading is compared with the short one beside it, and the middle one counts."""
    readings = Readings([1, 2, 10], [2, 3, 100], [5, 6, 7], peak_short=2**20, peak_long=3 * 2**20)

    figures = {figure.name: figure.value for figure in record_figures(readings)}

    assert figures == {
        "record.growth_ratio": 2,
        "record.prefetch_2000_ms": 6,
        "record.short_p50_ms": 2,
        "record.long_p50_ms": 3,
        "record.memory_growth_ratio": 3,
        "record.memory_mib": 3,
    }


def test_both_charts_are_read_from_a_real_server() -> None:
    """A round reads both charts whole, films included, and the large prefetch."""
    with started_sandbox("--long-charts") as (fhir, dicomweb):
        readings = asyncio.run(measure(fhir, dicomweb, 1))

    assert (len(readings.short), len(readings.long), len(readings.prefetched)) == (1, 1, 1)
    assert min(readings.peak_short, readings.peak_long) > 0
