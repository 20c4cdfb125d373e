"""DiagnosticReports (R4, R4B, R5) -> what they say in words, as notes behind the clinical ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from fhir_adapter.dates import read_moment, read_period
from fhir_adapter.notes.candidates import Candidate, readable, title_of
from fhir_adapter.notes.machine import is_by_machine
from fhir_adapter.shape import Resource, as_text, dicts_of

ITEM: Final = "diagnostic report"
_STANDING: Final = frozenset({"final", "amended", "corrected", "appended", "modified"})
"""Somebody stands behind these (R4 and R5 DiagnosticReportStatus)."""


def choose_reports(reports: Sequence[Resource], fetched: frozenset[str]) -> list[Candidate]:
    """Return the dated reports with words, newest first.

    The conclusion is taken where there is one, else the printed form. What says nothing in words is left out (its
    values are measurements), and so is what a machine wrote: an earlier answer of ours would prove itself.

    Args:
        reports: of one patient.
        fetched: addresses of the texts of documents: US Core files one text under both resources.
    """
    standing = [one for one in reports if as_text(one.get("status")) in _STANDING and not is_by_machine(one)]
    found = [candidate for one in standing for candidate in _candidates(one, fetched)]
    return sorted(found, key=lambda candidate: candidate.written_at, reverse=True)


def report_date(report: Resource) -> datetime | None:
    """Return the moment that a report tells of: when the film or sample was taken, else when it was issued."""
    return (
        read_moment(report.get("effectiveDateTime"))
        or read_period(report.get("effectivePeriod"))
        or read_moment(report.get("issued"))
    )


def _candidates(report: Resource, fetched: frozenset[str]) -> Iterator[Candidate]:
    moment, conclusion = report_date(report), as_text(report.get("conclusion"))
    forms = [one for one in dicts_of(report.get("presentedForm")) if as_text(one.get("url")) not in fetched]
    attachments = readable(forms)
    if moment is not None and (conclusion or attachments):
        title = f"Report: {title_of(report.get('code'), 'diagnostic report')}"
        yield Candidate(report, "report", ITEM, title, moment, attachments, conclusion)
