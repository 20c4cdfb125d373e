import pytest

from fhir_adapter.rest.requests import Request


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        (Request.read_of("Patient", "a.b-1"), "Patient/a.b-1"),
        (Request.search_of("Observation", {"code": "http://loinc.org|1988-5"}), "code=http%3A%2F%2Floinc.org%7C1988-5"),
        (Request.search_of("Observation", {"code": "a,b", "note": "ä &?"}), "code=a%2Cb&note=%C3%A4+%26%3F"),
    ],
)
def test_address_is_encoded(request_: Request, path: str) -> None:
    """Bars, commas and everything else in a value are encoded: some servers refuse them raw."""
    assert request_.path.endswith(path)


@pytest.mark.parametrize(
    ("request_", "patient_id"),
    [
        (Request.read_of("Patient", "a"), "a"),
        (Request.read_of("Observation", "a"), ""),
        (Request.search_of("Observation", {"patient": "a"}), "a"),
        (Request.search_of("Observation", {"patient": "Patient/a"}), "a"),
        (Request.search_of("Observation", {"subject": "https://ehr.example.org/fhir/Patient/a"}), "a"),
        (Request.search_of("Observation", {"code": "1988-5"}), ""),
        (Request.search_of("Patient", {"_id": "a"}), "a"),
        (Request.search_of("Patient", {"name": "a"}), ""),
    ],
)
def test_patient_asked_about_is_known(request_: Request, patient_id: str) -> None:
    """A question names its patient in one of several ways, or not at all."""
    assert request_.patient_id == patient_id
