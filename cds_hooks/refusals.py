"""What fails inside -> what the EHR is told: an HTTP status, the part that failed, and what to do."""

from __future__ import annotations

from typing import Final

from cds_hooks.errors import INTERNAL, Issue, Refusal
from cds_hooks.store.states import Failure
from fhir_adapter.errors import ChartUnavailable, FhirError, FhirMalformed, ForeignPatient, ServerNotAllowed
from fhir_adapter.prefetch import TEMPLATES

LATER: Final = {"Retry-After": "5"}
_OF_FAILURE: Final = {
    Failure.QUEUE: (503, Issue("transient", "The queue does not take jobs: try again later.")),
    Failure.MODEL: (503, Issue("transient", "The model does not answer: try again later.")),
    Failure.TIME: (503, Issue("timeout", "The analysis was given up after too long: try again later.")),
    Failure.CHART: (412, Issue("not-found", "The analysis could not read the patient's chart from the FHIR server.")),
    Failure.INTERNAL: (500, INTERNAL),
}
DATABASE_DOWN: Final = Refusal(
    503, Issue("no-store", "The database of the service is down: try again later."), headers=LATER
)


def refusal_of_failure(reason: Failure) -> Refusal:
    """Return what a hook is told whose job failed."""
    status, issue = _OF_FAILURE[reason]
    return Refusal(status, issue, headers=LATER if status == 503 else None)


def refusal_of_chart(error: FhirError) -> Refusal:
    """Return what a hook is told whose chart cannot be used."""
    if isinstance(error, ForeignPatient):
        return _foreign(error)
    if isinstance(error, ServerNotAllowed):
        return Refusal(403, Issue("forbidden", f"{error}.", "fhirServer"))
    if isinstance(error, FhirMalformed) and error.what.startswith("prefetch"):
        return Refusal(400, Issue("structure", f"{error}.", error.what))
    if isinstance(error, ChartUnavailable):
        sentence = f"{error}. Prefetch it, or give access with fhirServer and fhirAuthorization."
        return Refusal(412, Issue("not-found", sentence, "prefetch.patient"))
    return Refusal(412, Issue("not-found", f"The chart cannot be had: {error}."))


def _foreign(error: ForeignPatient) -> Refusal:
    sentence = f"{error}. Nothing was computed: the data of two patients must not be mixed."
    if error.key in TEMPLATES:
        return Refusal(400, Issue("security", sentence, f"prefetch.{error.key}"))
    # The client did nothing wrong; its FHIR server answered with somebody else's data.
    return Refusal(412, Issue("security", sentence))
