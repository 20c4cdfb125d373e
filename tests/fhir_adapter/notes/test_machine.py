import pytest

from explain.fhir.codes import AIAST, LOCAL, MODEL_DIGEST
from fhir_adapter.notes.machine import is_by_machine
from tests.fhir_adapter.builders import Json
from tests.fhir_adapter.notes.samples import coded, report

DEVICE: Json = {"reference": "Device/cad"}
DOCTOR: Json = {"reference": "https://ehr.example.org/fhir/Practitioner/1/_history/2"}


@pytest.mark.parametrize(
    "changes",
    [
        {"meta": {"security": [AIAST]}},
        {"meta": {"tag": [AIAST]}},
        {"meta": {"profile": ["http://hl7.org/fhir/uv/aitransparency/StructureDefinition/AI-ModelCard"]}},
        {"code": coded("explanation", LOCAL)},
        {"identifier": [{"system": MODEL_DIGEST, "value": "x"}]},
        {"performer": [DEVICE]},
        {"performer": [{"type": "Device", "display": "CAD"}]},
        {"performer": [{"reference": "#d"}], "contained": [{"resourceType": "Device", "id": "d"}]},
        {"performer": [DEVICE, {"reference": "Organization/1"}]},
    ],
)
def test_what_an_algorithm_says_is_told(changes: Json) -> None:
    """The labels that our own resources carry, an AI profile, or a device for an author."""
    assert is_by_machine(report(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"performer": [DEVICE], "resultsInterpreter": [DOCTOR]},
        {"performer": [DOCTOR, DEVICE]},
        {"performer": "Device/1", "meta": [], "contained": 5, "identifier": {"system": 5}},
        {"performer": [{"reference": "#x"}]},
    ],
)
def test_what_a_person_says_is_none(changes: Json) -> None:
    """A scanner or dictation system beside a person is that person's tool."""
    assert not is_by_machine(report(**changes))
