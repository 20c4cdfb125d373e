"""`mllm-cds demo`: the whole way, from an EHR's chart to explained cards, in one process."""

from __future__ import annotations

from typing import Annotated

import typer


def demo(
    port: Annotated[int, typer.Option(help="Port to listen on; a free one is taken when it is in use.", min=1)] = 8000,
    *,
    once: Annotated[bool, typer.Option("--once", help="End after the cards are printed.")] = False,
) -> None:
    """Serve fictitious patients and an EHR's chart page, ask about every patient, and print the cards.

    Everything is on this machine and in memory; the films are synthetic or public samples. Ctrl-C ends it.

    Example: [bold]mllm-cds demo --once[/bold]
    """
    from cds_hooks.sandbox.demonstration import run_demo

    raise typer.Exit(run_demo(port, once=once))
