"""`mllm-cds audit`: who saw what, when."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]


def audit(
    since: Annotated[datetime | None, typer.Option(formats=FORMATS, help="First moment; UTC without a zone.")] = None,
    patient_hash: Annotated[str, typer.Option(help="Beginning of a patient's keyed hash, as the table shows it.")] = "",
    patient: Annotated[str, typer.Option(help="FHIR id of a patient, in place of the hash.")] = "",
    server: Annotated[str, typer.Option(help="With --patient: fhirServer of the hooks; empty: prefetch alone.")] = "",
    action: Annotated[str, typer.Option(help="What was done, as the table calls it: page-opened.")] = "",
    *,
    fhir: Annotated[bool, typer.Option("--fhir", help="Print FHIR R4 AuditEvents as NDJSON.")] = False,
    send: Annotated[str, typer.Option(help="Base URL of a FHIR server to store them in; again changes nothing.")] = "",
    token: Annotated[
        str, typer.Option(envvar="FHIR_TOKEN", help="Bearer token for --send; better in the environment.")
    ] = "",
) -> None:
    """List the audit trail of the service whose CDS_ settings are in the environment, the oldest first.

    Patients and users are keyed hashes; for one whose id you know, --patient computes the hash.

    Example: [bold]mllm-cds audit --since 2026-11-01 --action page-opened[/bold]
    """
    from cds_hooks.commands.auditing import Asked, run_audit

    run_audit(Asked(since, patient_hash, patient, server, action), as_fhir=fhir, send_to=send, token=token)
