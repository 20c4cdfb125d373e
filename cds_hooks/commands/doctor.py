"""`mllm-cds doctor`: is everything there that the service needs?"""

from __future__ import annotations

import typer


def doctor() -> None:
    """Check settings, model, database, broker and FHIR servers: one line each, exit status 1 on a failure.

    Example: [bold]CDS_BROKER_URL=redis://127.0.0.1:6379/0 mllm-cds doctor[/bold]
    """
    from cds_hooks.commands.checks import run_checks

    if not run_checks():
        raise typer.Exit(1)
