"""What went wrong -> an OperationOutcome with its HTTP status.

An OperationOutcome is FHIR's error form, which CDS Hooks 3.0 asks for ("Returning OperationOutcome"). It is a plain
dict here, because building it must work when everything else does not; a test validates it against FHIR R4B.
No patient data, value or token may be in a sentence: it is logged by others on the way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that is wrong.

    Attributes:
        code: FHIR IssueType (http://hl7.org/fhir/issue-type).
        sentence: what is wrong and what to do.
        field: path of the field in the request, `context.patientId`; empty where there is none.
    """

    code: str
    sentence: str
    field: str = ""


class Refusal(Exception):
    """A request that is answered with an HTTP error.

    Attributes:
        status: HTTP status.
        issues: at least one.
        headers: more response headers, `Retry-After` for example.
    """

    def __init__(self, status: int, *issues: Issue, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"HTTP {status}: {'; '.join(issue.code for issue in issues)}")
        self.status = status
        self.issues = issues
        self.headers = dict(headers or {})


def operation_outcome(issues: Sequence[Issue]) -> dict[str, Any]:
    """Return a FHIR OperationOutcome (R4 to R5 alike) of one or more issues."""
    return {"resourceType": "OperationOutcome", "issue": [_issue(issue) for issue in issues]}


def _issue(issue: Issue) -> dict[str, Any]:
    body: dict[str, Any] = {"severity": "error", "code": issue.code, "diagnostics": issue.sentence}
    if issue.field:
        body["expression"] = [issue.field]
    return body


INTERNAL: Final = Issue("exception", "The service failed and has written the reason to its log; nothing was answered.")
