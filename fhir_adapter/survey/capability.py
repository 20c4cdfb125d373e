"""CapabilityStatement -> does the server say that it has what we need. What it really does, `searches` finds out."""

from __future__ import annotations

from fhir_adapter.errors import FhirMalformed
from fhir_adapter.rest.capabilities import Capabilities, FhirVersion, read_capabilities
from fhir_adapter.survey.asking import describe
from fhir_adapter.survey.findings import Finding, Verdict, shown, skipped
from fhir_adapter.survey.needs import NEEDS, READ, SEARCHED
from fhir_adapter.survey.visit import Visit

_REST: tuple[str, ...] = ("capability/types", "capability/parameters", "capability/system")


async def check_capability(visit: Visit) -> tuple[Finding, ...]:
    """Read the CapabilityStatement; fills in `capabilities`."""
    statement = _statement(visit)
    if visit.capabilities is None:
        return (statement, *(skipped(part, "no CapabilityStatement was read") for part in _REST))
    known = visit.capabilities
    return statement, judge_types(known), judge_parameters(known), describe_system(known)


def _statement(visit: Visit) -> Finding:
    part, reply = "capability/statement", visit.metadata
    if reply.status in (401, 403):
        return skipped(part, "it was refused")
    try:
        found = read_capabilities(reply.resource())
    except FhirMalformed as error:
        problem = error.problem if reply.status == 200 and reply.resource() else describe(reply)
        advice = "Please give us an R4 (4.0.1) endpoint." if "R4" in problem else ""
        return Finding(part, Verdict.FAILED, problem, advice=advice)
    visit.capabilities = found
    software = f", {shown(found.software)}" if found.software else ""
    return Finding(part, Verdict.OK, f"FHIR {found.version.name} ({found.version.value}){software}")


def judge_types(known: Capabilities) -> Finding:
    """Say which types it does not list; a statement may say less than the server does, so that this only warns."""
    wanted = [kind for kind in SEARCHED if not _is_gone(kind, known.version)]
    absent = [kind for kind in wanted if not known.serves(kind)]
    absent += [kind for kind in READ if not known.serves(kind, "read")]
    if not absent:
        return Finding(
            "capability/types", Verdict.OK, f"all {len(wanted) + len(READ)} types that we ask for are listed"
        )
    return Finding("capability/types", Verdict.WARN, f"not listed: {', '.join(absent)}")


def judge_parameters(known: Capabilities) -> Finding:
    """Say which search parameters it does not list for the types that it has."""
    absent = [
        f"{need.resource_type}.{name}"
        for need in NEEDS
        if known.serves(need.resource_type)
        for name in need.parameters
        if not known.knows(need.resource_type, name)
    ]
    if not absent:
        return Finding("capability/parameters", Verdict.OK, "all search parameters that we use are listed")
    return Finding("capability/parameters", Verdict.WARN, f"not listed: {', '.join(dict.fromkeys(absent))}")


def describe_system(known: Capabilities) -> Finding:
    """Say what it lists beside searching; nothing of it is needed."""
    studies = known.types.get("ImagingStudy")
    facts = {
        "batch": "batch" in known.interactions,
        "transaction": "transaction" in known.interactions,
        "ImagingStudy with its Endpoints": studies is not None and "ImagingStudy:endpoint" in studies.includes,
    }
    listed = [name for name, there in facts.items() if there]
    security = f"; security: {', '.join(sorted(map(shown, known.security)))}" if known.security else ""
    return Finding("capability/system", Verdict.OK, f"listed: {', '.join(listed) or 'none of the extras'}{security}")


def _is_gone(kind: str, version: FhirVersion) -> bool:
    # R5 has no Media: pictures are DocumentReferences there.
    return kind == "Media" and version is FhirVersion.R5
