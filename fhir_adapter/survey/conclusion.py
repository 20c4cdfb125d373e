"""Findings -> what works, what is missing, what to tell the site's administrator, and which settings to use."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fhir_adapter.rest.addresses import is_allowed
from fhir_adapter.survey.findings import Finding, Verdict
from fhir_adapter.survey.visit import Visit


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What a survey comes to.

    Attributes:
        works: whether nothing that is needed is missing or broken.
        summary: one sentence.
        missing: what is missing or broken, a clause each.
        tell: sentences to the site's administrator, ready to be sent.
        settings: lines for the service's environment.
    """

    works: bool
    summary: str
    missing: tuple[str, ...]
    tell: tuple[str, ...]
    settings: tuple[str, ...]


def conclude(findings: Sequence[Finding], visit: Visit) -> Conclusion:
    """Draw the conclusion of a survey."""
    missing = tuple(f"{finding.part}: {finding.sentence}" for finding in findings if not finding.ok)
    return Conclusion(
        works=not missing,
        summary=_summary(findings, missing, read=visit.record is not None),
        missing=missing,
        # A sentence that several checks come to is said once.
        tell=tuple(dict.fromkeys(finding.advice for finding in findings if finding.advice)),
        settings=settings_lines(visit),
    )


def _summary(findings: Iterable[Finding], missing: Sequence[str], *, read: bool) -> str:
    warned = sum(finding.verdict is Verdict.WARN for finding in findings)
    if missing:
        return f"It does not work here yet: {_count(len(missing), 'thing')} missing or broken, {warned} to know about."
    if not read:
        return f"Nothing that is needed was seen to be missing, {warned} to know about; no record was read (--patient)."
    return f"It works here, {_count(warned, 'thing')} to know about."


def settings_lines(visit: Visit) -> tuple[str, ...]:
    """Return the environment of a service that is to ask this site."""
    target, allowed = visit.target, [str(each).rstrip("/") for each in visit.settings.allowed_servers]
    allowed += [
        url for url in (visit.base_url, target.dicomweb_url.rstrip("/")) if url and not is_allowed(url, allowed)
    ]
    lines = [f"FHIR_ALLOWED_SERVERS='{json.dumps(allowed)}'"]
    if target.dicomweb_url and not _endpoints_name(visit, target.dicomweb_url.rstrip("/")):
        lines.append(f"FHIR_DICOMWEB_URL={target.dicomweb_url.rstrip('/')}")
    if visit.links_elsewhere:
        lines.append("FHIR_REROOT_LINKS=true")
    return tuple(lines)


def _endpoints_name(visit: Visit, root: str) -> bool:
    """Whether the records name the archive themselves, so that no setting has to."""
    endpoints = visit.chart.endpoints if visit.chart is not None else ()
    return any(str(each.get("address", "")).rstrip("/") == root for each in endpoints)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
