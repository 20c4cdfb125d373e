"""`mllm-cds fire`: be the EHR for one hook call."""

from __future__ import annotations

from typing import Annotated

import typer


def fire(
    patient: Annotated[str, typer.Argument(help="Id of the Patient on the FHIR server.")],
    fhir: Annotated[str, typer.Option(help="Base URL of the FHIR server.")],
    service: Annotated[str, typer.Option(help="Base URL of the CDS server, or of one service.")] = (
        "http://127.0.0.1:8000"
    ),
    *,
    prefetch: Annotated[bool, typer.Option(help="Send what the service asks for along with the hook.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the answer as it came.")] = False,
    token: Annotated[
        str, typer.Option(envvar="FHIR_TOKEN", help="Bearer token of the FHIR server; better in the environment.")
    ] = "",
) -> None:
    """Send patient-view to a service for a patient of a FHIR server, and print the cards.

    Exit status 1 when it answers with an error or not at all.

    Example: [bold]mllm-cds fire demo-t4k1 --fhir http://127.0.0.1:8000/fhir[/bold]
    """
    from cds_hooks.commands.firing import fire_and_print

    if not fire_and_print(service, patient, fhir, token, with_prefetch=prefetch, as_json=json):
        raise typer.Exit(1)
