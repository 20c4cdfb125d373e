from typing import Any

import pytest

from fhir_adapter.errors import FhirMalformed
from fhir_adapter.rest.capabilities import FhirVersion, read_capabilities

OBSERVATION = {
    "type": "Observation",
    "interaction": [{"code": "read"}, {"code": "search-type"}],
    "searchParam": [{"name": "code"}, {"name": "patient"}],
    "searchInclude": ["Observation:subject"],
}


def statement(**changes: Any) -> dict[str, Any]:
    rest = {"mode": "server", "resource": [OBSERVATION, {"type": "Media"}], "interaction": [{"code": "batch"}]}
    content = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": [{"mode": "client"}, rest]}
    return {**content, **changes}


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("4.0.1", FhirVersion.R4),
        ("4.0", FhirVersion.R4),
        ("4.3.0", FhirVersion.R4B),
        ("5.0.0", FhirVersion.R5),
        ("5.0.0-ballot", FhirVersion.R5),
    ],
)
def test_version_is_read(text: str, version: FhirVersion) -> None:
    """R4, R4B and R5 are told apart by the first two numbers."""
    assert read_capabilities(statement(fhirVersion=text)).version is version


@pytest.mark.parametrize("text", ["3.0.2", "1.0.2", "6.0.0", "4.01", "", None, 4.0])
def test_other_versions_are_refused(text: object) -> None:
    """A version that is not read is refused with a sentence that says what to do."""
    with pytest.raises(FhirMalformed, match="use an R4 endpoint"):
        read_capabilities(statement(fhirVersion=text))


def test_types_and_parameters_are_read() -> None:
    """What the server half lists counts; a type without interactions is taken to have them all."""
    found = read_capabilities(statement(software={"name": "HAPI", "version": "8"}))

    assert found.serves("Observation")
    assert not found.serves("Observation", "create")
    assert found.serves("Media")
    assert not found.serves("Patient")
    assert (found.knows("Observation", "code"), found.knows("Observation", "nosuch")) == (True, False)
    assert (found.software, set(found.interactions)) == ("HAPI 8", {"batch"})


@pytest.mark.parametrize("rest", [None, {}, [], [5], [{"mode": "server", "resource": {"type": 1}, "security": 5}]])
def test_statement_of_any_shape_is_read(rest: object) -> None:
    """A statement that lists nothing readable is that of a server that offers nothing."""
    assert read_capabilities(statement(rest=rest)).types == {}


def test_something_else_is_refused() -> None:
    """Another resource in its place is no statement."""
    with pytest.raises(FhirMalformed):
        read_capabilities({"resourceType": "OperationOutcome"})
