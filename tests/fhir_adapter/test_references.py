import pytest

from fhir_adapter.references import is_fhir_id, is_foreign, source_of, split_reference
from tests.fhir_adapter.builders import PATIENT_ID, SERVER, Json, endpoint, observation, patient

UUID = "707ee8ce-2ad4-0ea8-0d65-bb1f36889d08"


@pytest.mark.parametrize(
    ("text", "valid"),
    [("a", True), ("1.2-Z", True), ("x" * 64, True), ("x" * 65, False), ("", False), ("..", False), ("a b", False)],
)
def test_ids_are_those_of_the_specification(text: str, valid: bool) -> None:  # noqa: FBT001 - a table's column
    """An id is 1 to 64 letters, digits, dashes and dots, and does not climb up a path."""
    assert is_fhir_id(text) is valid


@pytest.mark.parametrize(
    "reference",
    [f"Patient/{PATIENT_ID}", f"{SERVER}/Patient/{PATIENT_ID}", f"Patient/{PATIENT_ID}/_history/3"],
)
def test_reference_to_this_patient_belongs(reference: str) -> None:
    """Relative, absolute and versioned references to the patient are the same patient."""
    assert not is_foreign(observation(subject={"reference": reference}), PATIENT_ID, SERVER)


@pytest.mark.parametrize(
    "subject",
    [
        {"reference": "Patient/other"},
        {"reference": f"https://elsewhere.example.org/fhir/Patient/{PATIENT_ID}"},
        {"reference": f"Group/{PATIENT_ID}"},
        {"reference": f"Patient/{PATIENT_ID}x"},
        {"reference": f"#{PATIENT_ID}"},
        {"reference": ""},
        {"reference": None},
        {"display": "Jane Doe"},
        {},
        [],
        None,
    ],
)
def test_any_other_subject_is_foreign(subject: object) -> None:
    """Whoever is not provably the patient is somebody else."""
    assert is_foreign(observation(subject=subject), PATIENT_ID, SERVER)


def test_urn_names_the_patient_by_uuid() -> None:
    """In a transaction the patient is a urn:uuid; it is the same uuid, whatever its case."""
    mine = observation(subject={"reference": f"urn:uuid:{UUID.upper()}"})

    assert not is_foreign(mine, UUID)
    assert is_foreign(mine, PATIENT_ID)


def test_resource_without_a_subject_proves_nothing() -> None:
    """An Observation that does not say whose it is, is nobody's."""
    result = observation()
    del result["subject"]

    assert is_foreign(result, PATIENT_ID)


@pytest.mark.parametrize(
    ("resource", "foreign"),
    [
        (patient(), False),
        (patient(id="other"), True),
        (endpoint(), False),
        ({"resourceType": "Immunization", "patient": {"reference": "Patient/other"}}, True),
        (observation(patient={"reference": "Patient/other"}), True),
        (observation(contained=[observation(id="i", subject={"reference": "Patient/other"})]), True),
        (observation(contained=[{"resourceType": "Observation", "id": "i"}]), False),
    ],
    ids=["own", "other", "archive", "by patient", "two owners", "contained", "contained without"],
)
def test_every_way_to_name_a_patient_is_checked(resource: Json, foreign: bool) -> None:  # noqa: FBT001
    """The Patient itself, `subject`, `patient` and contained resources all must agree."""
    assert is_foreign(resource, PATIENT_ID) is foreign


def test_base_is_not_compared_where_none_is_known() -> None:
    """A request without `fhirServer` gives nothing to compare an absolute reference with."""
    assert split_reference(f"{SERVER}/Patient/1") == ("Patient", "1")


def test_source_is_the_versioned_reference() -> None:
    """What is shown can be traced to the very version it was read from."""
    assert str(source_of(observation(meta={"versionId": "7"}))) == "Observation/crp-1/_history/7"


def test_source_without_version_is_a_digest_of_the_content() -> None:
    """Where the server keeps no versions, the content is the version, whatever the order of its keys."""
    one = observation(meta={})
    same = dict(reversed(list(one.items())))

    assert source_of(one) == source_of(same)
    assert source_of(one) != source_of(observation(meta={}, status="amended"))
    assert len(source_of(one).version) == 64


def test_resource_without_id_is_told_apart_by_content() -> None:
    """Two results without an id do not become one source."""
    one, other = observation(id=None), observation(id=None, status="amended")

    assert source_of(one).reference.startswith("Observation/")
    assert source_of(one) != source_of(other)
