"""`mllm-cds seed`: put the sample patients into other servers."""

from __future__ import annotations

from typing import Annotated

import typer


def seed(
    fhir: Annotated[str, typer.Option(help="Base URL of the FHIR R4 server.")],
    dicomweb: Annotated[str, typer.Option(help="Base URL of the DICOMweb server, as the service will reach it.")],
    wait: Annotated[int, typer.Option(help="Seconds to wait until both servers answer.", min=0)] = 0,
    token: Annotated[
        str, typer.Option(envvar="FHIR_TOKEN", help="Bearer token of the FHIR server; better in the environment.")
    ] = "",
) -> None:
    """Load the seven fictitious sample patients: one FHIR transaction, and their films by STOW-RS.

    Loading them again changes nothing but the times, which are relative to now.

    Example: [bold]mllm-cds seed --fhir http://127.0.0.1:8090/fhir --dicomweb http://127.0.0.1:8042/dicom-web[/bold]
    """
    from cds_hooks.commands.seeding import seed_servers

    seed_servers(fhir, dicomweb, wait_s=wait, token=token)
