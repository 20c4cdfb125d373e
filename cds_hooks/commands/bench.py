"""`mllm-cds bench ...`: how fast it is, measured here and now."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")


@app.callback()
def bench() -> None:
    """Measure how fast the service is on this machine."""


@app.command()
def hook(
    cold: Annotated[int, typer.Option(help="Hooks about inputs that were never seen before.", min=5)] = 40,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print the figures for machines.")] = False,
) -> None:
    """Measure a hook call from the EHR's side, and the bare model beside it.

    A fresh service and a fresh FHIR server run as two processes of their own. Cold: nothing is prefetched or known,
    everything is fetched over FHIR and one film over DICOMweb. Warm: the chart is opened again, with its prefetch, and
    the result is there already. Between two cold hooks the bare model runs on the same inputs with the same threads.

    Example: [bold]mllm-cds bench hook --json[/bold]
    """
    from cds_hooks.commands.hook_benchmark import run_hook_benchmark

    run_hook_benchmark(cold, as_json=json)


@app.command()
def record(
    rounds: Annotated[int, typer.Option(help="Times each chart is read.", min=5)] = 30,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print the figures for machines.")] = False,
) -> None:
    """Measure how long it takes to read a chart over FHIR and DICOMweb, however long the chart is.

    One patient has 100 Observations, 5 documents and 1 study, the other 10,000, 200 and 20; both are read in turn from
    a FHIR server in a process of its own. Besides: a prefetch with 2,000 Observations, and the memory both take.

    Example: [bold]mllm-cds bench record --json[/bold]
    """
    from cds_hooks.commands.record_benchmark import run_record_benchmark

    run_record_benchmark(rounds, as_json=json)
