import pytest

from fhir_adapter.auth.scopes import covers, read_scopes
from fhir_adapter.rest.requests import Request

PATIENT = Request.read_of("Patient", "a")
LABS = Request.search_of("Observation", {"patient": "a", "category": "laboratory"})
SIGNS = Request.search_of("Observation", {"patient": "a", "category": "vital-signs"})
BOTH = Request.search_of("Observation", {"patient": "a", "category": "laboratory,vital-signs"})
ANY = Request.search_of("Observation", {"patient": "a"})
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
ONLY_LABS = f"patient/Observation.rs?category={CATEGORY}|laboratory"


@pytest.mark.parametrize(
    ("scope", "request_", "covered"),
    [
        ("patient/*.read", LABS, True),
        ("patient/*.*", PATIENT, True),
        ("patient/*.write", LABS, False),
        ("user/Observation.read", LABS, True),
        ("user/Observation.read", PATIENT, False),
        ("system/*.rs", PATIENT, True),
        ("system/*.cruds", LABS, True),
        ("system/*.r", LABS, False),
        ("system/*.r", PATIENT, True),
        ("system/*.s", PATIENT, False),
        ("system/*.cud", PATIENT, False),
        ("launch openid fhirUser patient/Patient.r patient/Observation.s", LABS, True),
        (ONLY_LABS, LABS, True),
        (ONLY_LABS, SIGNS, False),
        (ONLY_LABS, BOTH, False),
        (ONLY_LABS, ANY, True),
        (ONLY_LABS.replace(f"{CATEGORY}|", ""), LABS, True),
        (f"{ONLY_LABS} patient/Observation.rs?category=vital-signs", BOTH, True),
        (f"{ONLY_LABS} patient/Observation.rs", SIGNS, True),
        (f"{ONLY_LABS},vital-signs", SIGNS, True),
        ("patient/Observation.rs?status=final", SIGNS, True),
        ("patient/Observation.rs", Request("Binary", "read"), True),
        ("patient/Observation.rs", Request("CapabilityStatement", "read"), True),
    ],
)
def test_scope_covers_what_it_names(scope: str, request_: Request, covered: bool) -> None:  # noqa: FBT001 - a table
    """Type, letter and category must fit; Binary and metadata are for the server to decide."""
    scopes = read_scopes(scope)

    assert scopes is not None
    assert covers(scopes, request_) is covered


def test_category_of_another_system_is_not_covered() -> None:
    """A token with a system is only the same as one of that system, or one without."""
    scopes = read_scopes(ONLY_LABS)
    request = Request.search_of("Observation", {"patient": "a", "category": "http://example.org|laboratory"})

    assert scopes is not None
    assert not covers(scopes, request)


@pytest.mark.parametrize(
    ("scope", "patient_id", "covered"),
    [
        ("patient/*.rs", "a", True),
        ("patient/*.rs", "b", False),
        ("patient/*.rs", "", True),
        ("user/*.rs", "b", True),
        ("patient/*.rs system/Patient.rs", "b", False),
    ],
)
def test_scope_of_a_patient_is_for_that_patient(
    scope: str,
    patient_id: str,
    covered: bool,  # noqa: FBT001 - a table
) -> None:
    """A patient/ scope opens the record of the patient in context and no other's."""
    scopes = read_scopes(scope)

    assert scopes is not None
    assert covers(scopes, LABS, patient_id) is covered


@pytest.mark.parametrize(
    "scope",
    [
        "",
        "openid launch/patient",
        "https://graph.example.org/.default",
        "patient/*.rs https://www.example.org/auth/health",
        "patient/Observation",
        "patient/Observation.",
        "patient/Observation.sr",
        "patient/observation.rs",
        "Patient.Read,Observation.Read",
    ],
)
def test_scope_that_cannot_be_read_is_told(scope: str) -> None:
    """Words that are none of SMART's may open anything: nothing is concluded from them."""
    assert read_scopes(scope) is None
