"""Reads, versions, deletes, and Binaries."""

from __future__ import annotations

import base64
import uuid

import pytest

from tests.fhir_server.charts import NOTE, Json
from tests.fhir_server.server import FhirServer


def new_patient(**elements: object) -> Json:
    return {"resourceType": "Patient", "id": f"new-{uuid.uuid4().hex}", **elements}


def test_read_tells_the_version(server: FhirServer) -> None:
    """Version and time of the change are in `meta`, and in the headers."""
    response = server.get(f"Patient/{server.chart.patient}")

    assert response.headers["etag"] == f'W/"{response.json()["meta"]["versionId"]}"'
    assert {"last-modified", "content-location"} <= set(response.headers)


def test_search_tells_the_versions(server: FhirServer) -> None:
    """Resources in a search have their version and time; the Bundle itself has no ETag."""
    response = server.get(f"Observation?{server.of_patient}")
    metas = [entry["resource"]["meta"] for entry in response.json()["entry"]]

    assert all({"versionId", "lastUpdated"} <= set(meta) for meta in metas)
    assert "etag" not in response.headers


@pytest.mark.parametrize(("tag", "status"), [('W/"1"', 304), ('W/"2"', 200)])
def test_known_version_is_not_sent_again(server: FhirServer, tag: str, status: int) -> None:
    """If-None-Match with the version: 304 without a body; with another one the resource comes."""
    response = server.get(f"Condition/{server.chart.id('condition')}", If_None_Match=tag)
    assert (response.status_code, bool(response.content)) == (status, status == 200)


def test_time_of_change_is_not_a_condition(server: FhirServer) -> None:
    """If-Modified-Since is not looked at."""
    date = server.get(f"Patient/{server.chart.patient}").headers["last-modified"]
    assert server.get(f"Patient/{server.chart.patient}", If_Modified_Since=date).status_code == 200


@pytest.mark.parametrize(
    "path", ["Patient/nobody-of-this-name", "Patient/no_id", "Patient/{}/_history/99", "Patient/{}/_history/x"]
)
def test_unknown_is_not_found(server: FhirServer, path: str) -> None:
    """An unknown id, an id that is none, an unknown version: 404 with an OperationOutcome."""
    response = server.get(path.format(server.chart.patient))
    assert (response.status_code, response.json()["resourceType"]) == (404, "OperationOutcome")


def test_code_of_an_outcome_says_little(server: FhirServer) -> None:
    """The issue code is `processing` whatever happened: a client goes by the status."""
    answers = [server.get(path) for path in ("Patient/nobody-of-this-name", "Patient?nosuch=1", "Nosuch/1")]
    assert {answer.json()["issue"][0]["code"] for answer in answers} == {"processing"}


def test_versions_are_kept(server: FhirServer) -> None:
    """A change makes a new version; the old one can be read; the history has both, newest first."""
    patient = new_patient()
    created, changed = server.put(patient), server.put(patient | {"gender": "male"})
    history = server.get(f"Patient/{patient['id']}/_history").json()

    assert (created.status_code, changed.status_code) == (201, 200)
    assert [each["resource"].get("gender") for each in history["entry"]] == ["male", None]
    assert "gender" not in server.get(f"Patient/{patient['id']}/_history/1").json()


def test_same_content_keeps_the_version(server: FhirServer) -> None:
    """Storing again what is there changes nothing: loading a Bundle twice is harmless."""
    patient = new_patient(gender="female")
    server.put(patient)

    assert server.put(patient).headers["etag"] == 'W/"1"'


def test_change_of_an_old_version_is_a_conflict(server: FhirServer) -> None:
    """If-Match with another version than the newest: 409, where FHIR says 412."""
    patient = new_patient()
    server.put(patient)
    path = f"Patient/{patient['id']}"

    assert server.request("PUT", path, patient | {"gender": "male"}, If_Match='W/"7"').status_code == 409


def test_deleted_is_gone(server: FhirServer) -> None:
    """A read is 410 with the place of the last version, a search finds nothing, the version before stays readable."""
    patient = new_patient()
    server.put(patient)
    path = f"Patient/{patient['id']}"
    deleted, read = server.request("DELETE", path), server.get(path)

    assert (deleted.status_code, read.status_code) == (200, 410)
    assert read.headers["location"] == f"{server.base}/{path}/_history/2"
    assert server.search(f"Patient?_id={patient['id']}")["total"] == 0
    assert server.get(f"{path}/_history/1").status_code == 200


def test_deleting_what_is_not_there_is_no_error(server: FhirServer) -> None:
    """200, with a note."""
    assert server.request("DELETE", f"Patient/never-{uuid.uuid4().hex}").status_code == 200


def test_deleted_comes_back_by_a_put(server: FhirServer) -> None:
    """The versions count on."""
    patient = new_patient()
    server.put(patient)
    server.request("DELETE", f"Patient/{patient['id']}")
    again = server.put(patient)

    assert (again.status_code, again.headers["etag"]) == (201, 'W/"3"')


def test_posted_resource_gets_an_id_of_the_server(server: FhirServer) -> None:
    """201, and Location says where it is."""
    response = server.request("POST", "Patient", new_patient())
    path = f"Patient/{response.json()['id']}"
    server.stored.append(path)

    assert response.status_code == 201
    assert response.headers["location"] == f"{server.base}/{path}/_history/1"


@pytest.mark.parametrize(
    "content",
    [b"{", {"resourceType": "Patient", "id": "other"}, {"resourceType": "Patient"}, b"[]"],
    ids=["broken", "other id", "no id", "no resource"],
)
def test_bad_resource_is_not_stored(server: FhirServer, content: Json | bytes) -> None:
    """What is no resource, or one of another id, is 400."""
    path = f"Patient/{new_patient()['id']}"
    response = server.request("PUT", path, content, Content_Type="application/fhir+json")

    assert (response.status_code, server.get(path).status_code) == (400, 404)


def test_digits_are_an_id(server: FhirServer) -> None:
    """An id of digits alone can be put, unless the server insists on a letter."""
    assert server.put(new_patient(id=str(uuid.uuid4().int)[:18])).status_code == 201


@pytest.mark.parametrize(
    ("accept", "is_resource"),
    [
        ("application/fhir+json", True),
        ("application/fhir+json, */*;q=0.1", True),
        ("application/json", False),
        ("text/plain", False),
        ("*/*", False),
    ],
)
def test_binary_is_a_resource_for_fhir_json_only(server: FhirServer, accept: str, *, is_resource: bool) -> None:
    """Any other Accept brings the bytes, with their own content type."""
    response = server.get(f"Binary/{server.chart.id('binary')}", Accept=accept)

    assert response.headers["content-type"].startswith("application/fhir+json" if is_resource else "text/plain")
    assert (base64.b64decode(response.json()["data"]) if is_resource else response.content) == NOTE


def test_raw_binary_is_a_download(server: FhirServer) -> None:
    """The bytes come with their version, and as an attachment, so that no browser shows them."""
    response = server.get(f"Binary/{server.chart.id('binary')}", Accept="*/*")
    assert (response.headers["content-disposition"], response.headers["etag"]) == ("Attachment;", 'W/"1"')


@pytest.mark.parametrize("url", ["Binary/b-1", "{}/Binary/b-1", "https://files.example.org/x.pdf", "Binary/nope"])
def test_address_of_an_attachment_is_kept_as_written(server: FhirServer, url: str) -> None:
    """Relative, absolute, foreign, leading nowhere: what was stored is what comes back."""
    written = url.format(server.base)
    content = [{"attachment": {"url": written}}]
    document = server.chart.make("DocumentReference", f"doc-{uuid.uuid4().hex[:8]}", status="current", content=content)
    document["subject"] = {"reference": f"Patient/{server.chart.stranger}"}
    server.put(document)

    read = server.get(f"DocumentReference/{document['id']}").json()
    assert read["content"][0]["attachment"]["url"] == written
