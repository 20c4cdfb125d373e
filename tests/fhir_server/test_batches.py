"""Bundles sent to the base."""

from __future__ import annotations

import uuid

import pytest

from tests.fhir_server.charts import Json, bundle, get, put
from tests.fhir_server.server import FhirServer, links, matches


def test_batch_answers_each_entry_in_its_place(server: FhirServer) -> None:
    """A failing entry fails alone, with its status and OperationOutcome inside."""
    chart = server.chart
    gone = {"resourceType": "Patient", "id": f"gone-{uuid.uuid4().hex}"}
    server.put(gone)
    server.request("DELETE", f"Patient/{gone['id']}")
    asked = [f"Patient/{chart.patient}", "Patient/nobody-of-this-name", f"Patient/{gone['id']}", "Patient?nosuch=1"]
    answer = server.send(bundle("batch", *map(get, [*asked, f"/Patient/{chart.patient}", "Nosuch?x=1"])))
    responses = [entry["response"] for entry in answer["entry"]]

    assert answer["type"] == "batch-response"
    assert [each["status"][:3] for each in responses] == ["200", "404", "410", "400", "200", "404"]
    assert ["outcome" in each for each in responses] == [False, True, True, True, False, True]
    assert [answer["entry"][place]["resource"]["id"] for place in (0, 4)] == [chart.patient] * 2


def test_search_in_a_batch_has_pages(server: FhirServer) -> None:
    """The first page is in the entry; the next is asked for as usual."""
    answer = server.send(bundle("batch", get(f"Observation?{server.of_patient}&_count=7")))
    page = answer["entry"][0]["resource"]

    assert len(matches(page)) == len(matches(server.search(links(page)["next"]))) == 7


def test_batch_writes_where_that_is_allowed(server: FhirServer) -> None:
    """Each entry says what became of it, and where."""
    name = f"new-{uuid.uuid4().hex}"
    entries = [
        put({"resourceType": "Patient", "id": name}),
        {"request": {"method": "DELETE", "url": f"Patient/{name}"}},
    ]
    answers = [server.send(bundle("batch", entry))["entry"][0]["response"] for entry in entries]

    assert [each["status"][:3] for each in answers] == ["201", "204"]
    assert answers[0]["location"] == f"Patient/{name}/_history/1"


def test_failing_read_does_not_fail_a_transaction(server: FhirServer) -> None:
    """Its status is inside, as in a batch."""
    answer = server.send(
        bundle("transaction", get("Patient/nobody-of-this-name"), get(f"Patient/{server.chart.patient}"))
    )

    assert answer["type"] == "transaction-response"
    assert [entry["response"]["status"][:3] for entry in answer["entry"]] == ["404", "200"]


def test_transaction_resolves_references_within_it(server: FhirServer) -> None:
    """Posted resources get ids of the server's, and refer to one another by them, whatever their order."""
    name = f"urn:uuid:{uuid.uuid4()}"
    result = server.chart.observation("result", 1) | {"subject": {"reference": name}}
    post = {"method": "POST"}
    entries: list[Json] = [
        {"resource": result, "request": {**post, "url": "Observation"}},
        {"fullUrl": name, "resource": {"resourceType": "Patient"}, "request": {**post, "url": "Patient"}},
    ]
    answer = server.send(bundle("transaction", *entries))
    places = [entry["response"]["location"].partition("/_history/")[0] for entry in answer["entry"]]
    server.stored.extend(reversed(places))

    assert server.get(places[0]).json()["subject"] == {"reference": places[1]}


@pytest.mark.parametrize(
    "content",
    [b"{", bundle("searchset"), {"resourceType": "Patient"}],
    ids=["broken", "searchset", "no Bundle"],
)
def test_anything_else_is_refused_at_the_base(server: FhirServer, content: bytes | dict[str, object]) -> None:
    """Only a batch or a transaction can be sent there."""
    assert server.request("POST", "", content, Content_Type="application/fhir+json").status_code == 400
