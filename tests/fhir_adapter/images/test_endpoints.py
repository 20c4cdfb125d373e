import pytest

from fhir_adapter.images.endpoints import QIDO, WADO, by_reference, missing_endpoints, roots_of
from tests.fhir_adapter.builders import ARCHIVE, SERVER, Json, endpoint, study

R5 = [{"coding": [{"code": "hl7-fhir-rest"}]}, {"coding": [{"code": "dicom-wado-rs"}]}]


def roots(stated: Json, kind: str = WADO) -> list[str]:
    return list(roots_of(study(), study(), by_reference([stated]), kind))


@pytest.mark.parametrize("connection", [{"code": "dicom-wado-rs"}, {"coding": [{"code": "dicom-wado-rs"}]}, R5])
def test_connection_type_of_every_release_is_read(connection: object) -> None:
    """R4 and R4B have one Coding, R5 a list of CodeableConcepts."""
    assert roots(endpoint(connectionType=connection)) == [ARCHIVE]


def test_each_service_has_its_own_root() -> None:
    """An endpoint of QIDO-RS is asked for searches and no other."""
    searched = endpoint(connectionType={"code": "dicom-qido-rs"})

    assert (roots(searched, QIDO), roots(searched, WADO)) == ([ARCHIVE], [])


@pytest.mark.parametrize("address", [ARCHIVE, f"{ARCHIVE}/", f"{ARCHIVE}/studies", f"{ARCHIVE}/studies/1.2.3.1"])
def test_address_of_the_study_is_cut_to_the_root(address: str) -> None:
    """Some servers give the address of the study where R4 wants the root."""
    assert roots(endpoint(address=address)) == [ARCHIVE]


def test_missing_endpoints_are_named_once() -> None:
    """Each Endpoint that is referred to and not at hand is read once; those elsewhere are not read."""
    references = ["Endpoint/a", "Endpoint/a", "Endpoint/pacs", "#c", "https://elsewhere.example.org/fhir/Endpoint/b"]
    holder = study(endpoint=[{"reference": reference} for reference in references])

    assert missing_endpoints([holder], [endpoint()], SERVER) == ("a",)
