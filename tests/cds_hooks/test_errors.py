from __future__ import annotations

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome

from cds_hooks.errors import INTERNAL, Issue, Refusal, operation_outcome
from cds_hooks.refusals import DATABASE_DOWN, refusal_of_chart, refusal_of_failure
from cds_hooks.store.states import Failure
from fhir_adapter import errors
from fhir_adapter.record import GapReason

EVERY_CHART_ERROR = (
    errors.ForeignPatient("labs"),
    errors.ForeignPatient("Observation"),
    errors.ServerNotAllowed("the FHIR server"),
    errors.ChartUnavailable(GapReason.REFUSED),
    errors.FhirMalformed("prefetch.labs", "a Bundle is expected here"),
    errors.FhirTimeout("Patient"),
)
# IssueType, http://hl7.org/fhir/R4/valueset-issue-type.html
ISSUE_TYPES = frozenset(
    """
    invalid structure required value invariant security login unknown expired forbidden suppressed processing
    not-supported duplicate multiple-matches not-found deleted too-long code-invalid extension too-costly
    business-rule conflict transient lock-error no-store exception timeout incomplete throttled informational
    """.split()  # noqa: SIM905 - thirty strings in quotes are no easier to read
)


@pytest.mark.parametrize(
    "refusal",
    [
        *map(refusal_of_chart, EVERY_CHART_ERROR),
        *map(refusal_of_failure, Failure),
        DATABASE_DOWN,
        Refusal(500, INTERNAL),
    ],
)
def test_every_refusal_is_a_valid_operation_outcome(refusal: Refusal) -> None:
    """Whatever is refused is refused in FHIR's own form, with a code of its value set and a sentence."""
    outcome = OperationOutcome.model_validate(operation_outcome(refusal.issues))

    assert {issue.code for issue in outcome.issue} <= ISSUE_TYPES
    assert all(str(issue.diagnostics).endswith(".") for issue in outcome.issue)


def test_field_becomes_the_expression() -> None:
    """The path of a field stands where FHIR wants it."""
    (issue,) = operation_outcome([Issue("required", "It is required.", "context.patientId")])["issue"]

    assert issue["expression"] == ["context.patientId"]


@pytest.mark.parametrize(
    ("error", "status", "field"),
    [
        (errors.ForeignPatient("labs"), 400, "prefetch.labs"),
        (errors.ForeignPatient("Observation"), 412, ""),
        (errors.ServerNotAllowed("the FHIR server"), 403, "fhirServer"),
        (errors.ChartUnavailable(GapReason.MISSING), 412, "prefetch.patient"),
        (errors.FhirMalformed("prefetch.labs", "broken"), 400, "prefetch.labs"),
        (errors.FhirMalformed("Patient", "broken"), 412, ""),
        (errors.FhirUnavailable("Patient", 502), 412, ""),
    ],
)
def test_chart_error_names_who_must_act(error: errors.FhirError, status: int, field: str) -> None:
    """4xx with a field where the client can mend it; 412 where the data cannot be had."""
    refusal = refusal_of_chart(error)

    assert (status, field) == (refusal.status, refusal.issues[0].field)


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (Failure.QUEUE, 503),
        (Failure.MODEL, 503),
        (Failure.TIME, 503),
        (Failure.CHART, 412),
        (Failure.INTERNAL, 500),
    ],
)
def test_failure_tells_whether_to_try_again(reason: Failure, status: int) -> None:
    """What may work later is a 503 with Retry-After."""
    refusal = refusal_of_failure(reason)

    assert (status, status == 503) == (refusal.status, "Retry-After" in refusal.headers)
