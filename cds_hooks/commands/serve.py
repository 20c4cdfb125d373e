"""`mllm-cds serve`: the web process, with the worker inside unless a broker is set."""

from __future__ import annotations

from typing import Annotated

import typer


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for every one.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8000,
) -> None:
    """Serve CDS Hooks and the explanation pages.

    Settings come from the environment (CDS_*, FHIR_*). Without any, everything runs in this one process.

    Example: [bold]FHIR_ALLOWED_SERVERS='["https://ehr.example.org/fhir"]' mllm-cds serve --port 8080[/bold]
    """
    from cds_hooks.commands.running import run_service

    run_service(host, port)
