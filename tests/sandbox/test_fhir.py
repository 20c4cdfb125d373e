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


def matches(client: TestClient, query: str) -> list[dict[str, Any]]:
    return [one["resource"] for one in search(client, query).get("entry", ()) if one["search"]["mode"] == "match"]


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


def test_search_by_post_equals_search_by_get(client: TestClient) -> None:
    """A form body is read as the query of a URL is, so that ids can stay out of addresses."""
    form = {"patient": GIRL, "category": "laboratory", "_sort": "-date"}
    posted = client.post("/fhir/Observation/_search", data=form).json()

    assert posted["entry"] == search(client, f"Observation?patient={GIRL}&category=laboratory&_sort=-date")["entry"]


def test_newest_comes_first(client: TestClient) -> None:
    """`_sort=-date` sorts over all pages."""
    times = [one["effectiveDateTime"] for one in matches(client, f"Observation?patient={GIRL}&_sort=-date&_count=100")]
    assert times == sorted(times, reverse=True)


def test_next_links_lead_through_everything(client: TestClient) -> None:
    """Pages hold each resource once; the last one links no further."""
    seen: list[str] = []
    bundle = search(client, f"Observation?patient={GIRL}&_count=4&_sort=-date")
    while True:
        seen += [one["resource"]["id"] for one in bundle["entry"]]
        links = {link["relation"]: link["url"] for link in bundle["link"]}
        if "next" not in links:
            break
        bundle = client.get(links["next"]).json()

    assert len(seen) == len(set(seen)) == 17


def test_count_only(client: TestClient) -> None:
    """`_summary=count` and `_count=0` give the number and nothing else."""
    for query in ("_summary=count", "_count=0"):
        bundle = search(client, f"Observation?patient={GIRL}&{query}")
        assert (bundle["total"], "entry" in bundle, "link" in bundle) == (17, False, False)


def test_endpoint_is_included(client: TestClient) -> None:
    """`_include` adds the Endpoint, marked as included and not counted."""
    bundle = search(client, f"ImagingStudy?patient={GIRL}&_include=ImagingStudy:endpoint")

    assert [one["search"]["mode"] for one in bundle["entry"]] == ["match", "match", "include"]
    assert bundle["entry"][2]["resource"]["address"] == "http://testserver/dicom-web"


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


@pytest.mark.parametrize(("kind", "status"), [("application/json", 415), ("application/x-www-form-urlencoded", 200)])
def test_search_by_post_needs_a_form(client: TestClient, kind: str, status: int) -> None:
    """Parameters in another body would be lost, and with them the filter."""
    response = client.post("/fhir/Patient/_search", content=b"gender=male", headers={"Content-Type": kind})
    assert status == response.status_code


def test_read_has_a_version_tag(client: TestClient) -> None:
    """ETag is the version, and a caller that has it already gets no body."""
    response = client.get(f"/fhir/Patient/{GIRL}")
    again = client.get(f"/fhir/Patient/{GIRL}", headers={"If-None-Match": response.headers["etag"]})

    assert response.headers["etag"] == 'W/"1"'
    assert (again.status_code, again.content) == (304, b"")


def test_old_version_can_be_read(client: TestClient) -> None:
    """A read may name the version it wants."""
    assert client.get(f"/fhir/Patient/{GIRL}/_history/1").json()["id"] == GIRL


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/fhir+json", "application/fhir+json;charset=UTF-8"),
        ("application/fhir+json, */*;q=0.1", "application/fhir+json;charset=UTF-8"),
        ("application/json", "text/plain; charset=utf-8"),
        ("*/*", "text/plain; charset=utf-8"),
    ],
)
def test_binary_is_raw_unless_fhir_json_is_asked_for(client: TestClient, accept: str, kind: str) -> None:
    """A Binary is its own content, as on HAPI, and a resource only for who asks for FHIR."""
    response = client.get("/fhir/Binary/demo-w8m2-b1", headers={"Accept": accept})
    assert kind == response.headers["content-type"]


def test_links_name_the_address_the_caller_used(client: TestClient) -> None:
    """As on HAPI, links are made from the Host header."""
    bundle = client.get("/fhir/Patient?_count=1", headers={"Host": "ehr.example:81"}).json()
    assert all(link["url"].startswith("http://ehr.example:81/fhir") for link in bundle["link"])
