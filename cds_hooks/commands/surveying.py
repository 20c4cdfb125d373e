"""`mllm-cds doctor FHIR_BASE`: the survey of `fhir_adapter.survey`, run and printed."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import typer
from rich.console import Console

from cds_hooks.commands.findings import Report, print_json, print_report
from cds_hooks.commands.stopping import told_plainly
from cds_hooks.log import configure_logging
from fhir_adapter.deadline import Deadline
from fhir_adapter.references import is_fhir_id
from fhir_adapter.rest.addresses import read_url
from fhir_adapter.rest.transport import open_http
from fhir_adapter.settings import FhirSettings
from fhir_adapter.survey.checks import CHECKS
from fhir_adapter.survey.conclusion import conclude
from fhir_adapter.survey.findings import Finding
from fhir_adapter.survey.run import survey
from fhir_adapter.survey.visit import Target, Visit, open_visit
from inference.contract import DEMOGRAPHIC_SLOTS, MEASUREMENTS


def check_target(target: Target) -> None:
    """Refuse what cannot be looked at.

    Raises:
        typer.BadParameter: a sentence that says what to give instead.
    """
    for what, url in (("FHIR_BASE", target.base_url), ("--dicomweb", target.dicomweb_url)):
        found = read_url(url) if url else None
        if url and (found is None or found.query):
            raise typer.BadParameter(
                f"{what} must be a plain http(s) base address, such as https://ehr.example.org/fhir"
            )
    if target.patient_id and not is_fhir_id(target.patient_id):
        raise typer.BadParameter("--patient must be the id of a Patient, without the type before it")
    if target.patient_id and target.any_patient:
        raise typer.BadParameter("give --patient or --any-patient, not both")


def wanted_by_the_model() -> tuple[str, ...]:
    """Return the keys of the quantities that a model takes."""
    return tuple(slot.key for place, slot in enumerate(MEASUREMENTS) if place not in DEMOGRAPHIC_SLOTS)


async def survey_and_print(target: Target, within_s: float, *, as_json: bool) -> bool:
    """Survey a site, print what was found, and tell whether the product works there.

    Raises:
        typer.BadParameter: the token cannot be one.
        typer.Exit: the settings are wrong; said on stderr.
    """
    # What is wrong is among the findings; a log would stand between them.
    configure_logging("ERROR", "console")
    with told_plainly():
        settings = FhirSettings()
    start = time.monotonic()
    async with open_http(settings) as http:
        try:
            visit = open_visit(target, http, settings, datetime.now(UTC), Deadline.after(within_s))
        except ValueError:
            raise typer.BadParameter("what the source of the token holds is no bearer token (RFC 6750)") from None
        findings = await _watched(visit)
    drawn = conclude(findings, visit)
    took = time.monotonic() - start
    report = Report(findings, drawn.works, visit.base_url, drawn, took, visit.asker.requests)
    if as_json:
        print_json(report)
    else:
        print_report(Console(), report)
    return drawn.works


async def _watched(visit: Visit) -> list[Finding]:
    """Collect the findings; on a terminal with a line that shows how far it is."""
    findings: list[Finding] = []
    with Console(stderr=True).status("Looking ...") as status:
        async for finding in survey(visit):
            findings.append(finding)
            status.update(f"{len(findings)} of {len(CHECKS)} checks: {finding.part}")
    return findings
