import pytest

from fhir_adapter.errors import (
    AccessExpired,
    FhirError,
    FhirGone,
    FhirMalformed,
    FhirRefused,
    FhirRejected,
    FhirTimeout,
    FhirUnavailable,
    ForeignPatient,
    NoArchive,
    NotCovered,
    ServerNotAllowed,
    TokenRefused,
)
from fhir_adapter.gaps import gap_of
from fhir_adapter.record import GapReason


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (NotCovered("Observation"), GapReason.REFUSED),
        (AccessExpired("Observation"), GapReason.REFUSED),
        (TokenRefused("invalid_client", 401), GapReason.REFUSED),
        (FhirRefused("Observation", 403), GapReason.REFUSED),
        (FhirGone("Observation", 404), GapReason.MISSING),
        (FhirTimeout("Observation"), GapReason.TIMEOUT),
        (FhirMalformed("Observation", "no JSON"), GapReason.UNREADABLE),
        (ForeignPatient("Observation"), GapReason.FAILED),
        (ServerNotAllowed("the attachment"), GapReason.UNREADABLE),
        (NoArchive(), GapReason.UNREADABLE),
        (FhirUnavailable("Observation", 503), GapReason.FAILED),
        (FhirRejected("Observation", 400), GapReason.FAILED),
    ],
)
def test_each_error_has_its_reason(error: FhirError, reason: GapReason) -> None:
    """Whatever went wrong is a gap that a clinician can read."""
    assert gap_of(error, "structured", "laboratory results").reason is reason


def test_three_refusals_read_differently() -> None:
    """Who must act differs: the scopes, the moment, or the server."""
    errors = (NotCovered("Observation"), AccessExpired("Observation"), FhirRefused("Observation", 403))

    assert len({gap_of(error, "text", "clinical notes").detail for error in errors}) == 3


def test_unknown_archive_is_not_said_to_be_forbidden() -> None:
    """Where no address is known, nobody need look for it on the list of allowed servers."""
    assert "allowed" not in gap_of(NoArchive(), "image", "radiograph").detail
