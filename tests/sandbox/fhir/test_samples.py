from __future__ import annotations

from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from fhir.resources.R4B.operationoutcome import OperationOutcome
from starlette.testclient import TestClient

GIRL = "demo-t4k1"


def search(client: TestClient, query: str) -> dict[str, Any]:
    body: dict[str, Any] = client.get(f"/fhir/{query}").json()
    return body


def test_capability_statement_is_valid(client: TestClient) -> None:
    """The server says what it can do in valid FHIR."""
    statement = CapabilityStatement.model_validate(client.get("/fhir/metadata").json())
    assert statement.fhirVersion == "4.0.1"


def test_search_answers_a_valid_bundle(client: TestClient) -> None:
    """A searchset is valid FHIR, links and modes included."""
    Bundle.model_validate(search(client, f"Observation?patient={GIRL}&_count=5"))


@pytest.mark.parametrize(
    ("query", "total"),
    [
        (f"Observation?patient={GIRL}&category=vital-signs", 7),
        (f"Observation?subject=Patient/{GIRL}&category=laboratory", 10),
        (f"Observation?patient=http://testserver/fhir/Patient/{GIRL}", 17),
        (f"Observation?patient=Group/{GIRL}", 0),
        (f"Observation?patient={GIRL}&code=http://loinc.org|1988-5", 2),
        (f"Observation?patient={GIRL}&code=http://loinc.org|1988-5&status=final", 1),
        (f"Observation?patient={GIRL}&code=1988-5,8310-5", 4),
        (f"Observation?patient={GIRL}&code=|1988-5", 0),
        (f"Observation?patient={GIRL}&code=http://loinc.org|", 17),
        (f"Observation?patient={GIRL}&date=ge2026-11-24", 15),
        (f"Observation?patient={GIRL}&date=ge2026-11-24&date=lt2026-11-24", 0),
        ("Observation?patient=nobody", 0),
        (f"Observation?patient={GIRL},demo-a6d7&code=8310-5", 3),
        (f"ImagingStudy?patient={GIRL}&started=ge2026-11-24", 1),
        ("ImagingStudy?patient=demo-n5r4", 0),
        (f"DocumentReference?patient={GIRL}&category=clinical-note", 1),
        ("Patient?gender=male", 3),
        ("Patient?family=AHL", 1),
        (f"Patient?_id={GIRL}", 1),
        ("Patient?birthdate=lt2000", 1),
    ],
)
def test_search_finds(client: TestClient, query: str, total: int) -> None:
    """Parameters filter as FHIR R4 says: commas are "or", repetition is "and"."""
    assert total == search(client, query)["total"]


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("Observation?nosuch=1", 400, "unknown search parameter"),
        ("Observation?patient=", 400, '"patient" is empty'),
        ("Observation?patient=x&date=soon", 400, '"date" is no date'),
        ("Observation?patient=x&_count=abc", 400, "_count must be"),
        ("Observation?patient=x&_count=-1", 400, "_count must be"),
        ("Observation?patient=x&_sort=nosuch", 400, "_sort names"),
        ("ImagingStudy?patient=x&_sort=-date", 400, "_sort names"),
        ("Observation?_include=ImagingStudy:endpoint", 400, "_include is not supported"),
        ("Nosuch?patient=x", 404, "unknown resource type"),
        ("Patient/nobody", 404, "no such Patient"),
        (f"Patient/{GIRL}/_history/9", 404, "no such Patient"),
    ],
)
def test_bad_request_is_an_operation_outcome(client: TestClient, query: str, status: int, said: str) -> None:
    """What cannot be answered is refused in FHIR's error form, never answered without the filter."""
    response = client.get(f"/fhir/{query}")
    outcome = OperationOutcome.model_validate(response.json())

    assert response.status_code == status
    assert said in (outcome.issue[0].diagnostics or "")


@pytest.mark.parametrize("path", ["Patient", f"Patient/{GIRL}"])
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_server_is_read_only(client: TestClient, method: str, path: str) -> None:
    """Nothing can be changed over HTTP."""
    response = client.request(method, f"/fhir/{path}")
    assert (response.status_code, response.json()["issue"][0]["code"]) == (405, "not-supported")
