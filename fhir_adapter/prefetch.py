"""Prefetch of a hook request -> per key what the client gave, or why not (CDS Hooks 2.0 and 3.0, Prefetch Template).

Four states differ: a value; `null`, the client has none; an OperationOutcome, the client failed; no such key.
Only the last may be fetched by us.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final

from fhir_adapter.errors import FhirMalformed, ForeignPatient
from fhir_adapter.references import is_foreign
from fhir_adapter.rest.bundles import Page, read_page
from fhir_adapter.shape import Resource, as_text, codes_of, dicts_of

# Only what the specification's subset of FHIR search allows, so that no client has to skip a key: no _include
# (Endpoints are read afterwards), and one date bound a template (some clients fold a repeated parameter into a list).
TEMPLATES: Final[dict[str, str]] = {
    "patient": "Patient/{{context.patientId}}",
    "vitals": "Observation?patient={{context.patientId}}&category=vital-signs"
    "&date=ge{{today() - 3 days}}&_sort=-date&_count=100",
    "labs": "Observation?patient={{context.patientId}}&category=laboratory"
    "&date=ge{{today() - 3 days}}&_sort=-date&_count=100",
    "notes": "DocumentReference?patient={{context.patientId}}&date=ge{{today() - 30 days}}&_sort=-date&_count=20",
    "reports": "DiagnosticReport?patient={{context.patientId}}&date=ge{{today() - 30 days}}&_sort=-date&_count=20",
    # Two years: an earlier film is compared by eye; which film is of today's illness is decided later.
    "imaging": "ImagingStudy?patient={{context.patientId}}&started=ge{{today() - 730 days}}&_sort=-started&_count=10",
}
OWN_QUERIES: Final[dict[str, str]] = {
    "media": "Media?patient={{context.patientId}}&created=ge{{today() - 30 days}}&_sort=-created&_count=10",
}
"""Asked for by us only, and only where no imaging study was sent along: few EHRs have them."""
MOST_GIVEN: Final = 5000
"""Resources of one key that are looked at: far more than a template asks for, and what a hook has the time to read."""
_DAYS_AGO: Final = re.compile(r"\{\{today\(\) - (\d+) days\}\}")
_ACCESS_CODES: Final = frozenset({"security", "login", "forbidden", "expired", "suppressed"})
"""OperationOutcome.issue.code of a refusal (R4 IssueType)."""


class State(StrEnum):
    """What the client did about one prefetch key."""

    GIVEN = "given"
    NONE = "none"
    REFUSED = "refused"
    FAILED = "failed"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Query:
    """A template with its tokens filled in: a type-level search."""

    resource_type: str
    params: Mapping[str, str]


_NO_PAGE: Final = Page((), (), "", empty=True)


@dataclass(frozen=True, slots=True)
class Part:
    """One prefetch key.

    Attributes:
        state: what the client did about it.
        page: what was given; for `patient` a page of one.
        cut: whether more was given than is looked at.
    """

    state: State
    page: Page = _NO_PAGE
    cut: bool = False

    def lacks_more(self, query: Query) -> bool:
        """Whether there is more on the server than was given: a next page, a total not reached, or a failure among it.

        Clients may leave the next link out. As many as the template asks for are enough, whatever the total.
        """
        given = len(self.page.matches)
        short = self.page.total is not None and given < min(self.page.total, int(query.params["_count"]))
        return bool(self.page.next_url) or self.page.partial or short

    @property
    def has_more(self) -> bool:
        """Whether there are older ones beyond what is looked at."""
        return self.cut or (self.page.total is not None and self.page.total > len(self.page.matches))


def resolve(key: str, patient_id: str, today: date) -> Query:
    """Fill in the search template of a key, for the parts that we fetch ourselves."""
    filled = (TEMPLATES | OWN_QUERIES)[key].replace("{{context.patientId}}", patient_id)
    filled = _DAYS_AGO.sub(lambda found: (today - timedelta(days=int(found[1]))).isoformat(), filled)
    resource_type, _, query = filled.partition("?")
    return Query(resource_type, dict(pair.split("=", 1) for pair in query.split("&")))


def read_prefetch(prefetch: Mapping[str, Any] | None, patient_id: str, base_url: str = "") -> dict[str, Part]:
    """Tell the states of all keys of `TEMPLATES` and `OWN_QUERIES` apart; unknown keys are ignored.

    Args:
        prefetch: the field of the hook request, None where it has none.
        patient_id: `context.patientId`.
        base_url: the client's FHIR base, to tell absolute references of this server from others; may be unknown.

    Raises:
        ForeignPatient: a resource of another patient, or one that does not name its patient.
        FhirMalformed: a value of the wrong type; the message names the key.
    """
    given = {} if prefetch is None else prefetch
    if not isinstance(given, Mapping):
        raise FhirMalformed("prefetch", "an object is expected here")
    parts = {key: _read_part(key, given) for key in TEMPLATES}
    # A failure over the studies says nothing of where else a film may be, so that it stays the failure it is.
    without_study = (
        parts["imaging"].state in (State.ABSENT, State.GIVEN, State.NONE) and not parts["imaging"].page.matches
    )
    parts["media"] = Part(State.ABSENT if without_study else State.NONE)
    for key, part in parts.items():
        if any(is_foreign(resource, patient_id, base_url) for resource in part.page.matches + part.page.others):
            raise ForeignPatient(key)
    return parts


def _read_part(key: str, prefetch: Mapping[str, Any]) -> Part:
    if key not in prefetch:
        return Part(State.ABSENT)
    value = prefetch[key]
    if value is None:
        return Part(State.NONE)
    if isinstance(value, dict) and value.get("resourceType") == "OperationOutcome":
        return Part(State.REFUSED if _is_refusal(value) else State.FAILED)
    if key != "patient":
        return _bounded(read_page(value, TEMPLATES[key].partition("?")[0], f"prefetch.{key}"))
    if not isinstance(value, dict) or value.get("resourceType") != "Patient":
        raise FhirMalformed("prefetch.patient", "a Patient is expected here")
    return Part(State.GIVEN, Page((value,), (), "", empty=False))


def _bounded(page: Page) -> Part:
    """Keep the newest of a page that is larger than anybody asked for."""
    if len(page.matches) <= MOST_GIVEN:
        return Part(State.GIVEN, page)
    # ISO dates sort as text but for their zones, which here may cost a few hours at the far end of thousands.
    newest = sorted(page.matches, key=_dated, reverse=True)[:MOST_GIVEN]
    return Part(State.GIVEN, replace(page, matches=tuple(newest)), cut=True)


def _dated(resource: Resource) -> str:
    names = ("effectiveDateTime", "effectiveInstant", "date", "started", "issued")
    return next((text for name in names if (text := as_text(resource.get(name)))), "")


def _is_refusal(outcome: Resource) -> bool:
    issues = list(dicts_of(outcome.get("issue")))
    codes = {issue.get("code") for issue in issues if isinstance(issue.get("code"), str)}
    details = {code for issue in issues for _, code in codes_of(issue.get("details"))}
    return bool((codes | details) & _ACCESS_CODES)
