"""Servers that ask for a token, and HAPI with the options that hospitals turn on."""

from __future__ import annotations

import uuid

import httpx
import pytest

from tests.fhir_server.charts import NOTE, bundle, get, transaction
from tests.fhir_server.conftest import STRICT
from tests.fhir_server.server import FhirServer, links
from tests.integration.hapi_server import why_not

only_hapi = pytest.mark.skipif(bool(why_not(*STRICT)), reason=why_not(*STRICT) or "HAPI can be started")


@pytest.mark.parametrize("path", ["Patient/{}", "Observation?patient={}", "metadata", "?_getpages=x", "nosuch"])
@pytest.mark.parametrize(
    ("given", "challenge"), [("", "Bearer"), ("Bearer wrong", 'Bearer error="invalid_token"')], ids=["none", "wrong"]
)
def test_every_request_needs_the_token(strict: FhirServer, path: str, given: str, challenge: str) -> None:
    """401 with an OperationOutcome, and WWW-Authenticate says whether there was a token at all."""
    headers = {"Authorization": given} if given else {}
    response = httpx.get(f"{strict.base}/{path.format(strict.chart.patient)}", headers=headers, timeout=60)

    assert (response.status_code, response.headers["www-authenticate"]) == (401, challenge)
    assert response.json()["resourceType"] == "OperationOutcome"


def test_further_page_and_batch_need_the_token(strict: FhirServer) -> None:
    """Knowing the address of a page is not enough."""
    url = links(strict.search(f"Observation?{strict.of_patient}"))["next"]
    batch = bundle("batch", get(f"Patient/{strict.chart.patient}"))

    assert httpx.get(url, timeout=60).status_code == 401
    assert strict.request("POST", "", batch, Authorization="Bearer wrong").status_code == 401


@pytest.mark.hapi
@only_hapi
def test_digits_are_no_id_under_the_alphanumeric_strategy(hapi_strict: FhirServer) -> None:
    """HAPI's usual strategy takes a client's id only if it has a letter."""
    digits = str(uuid.uuid4().int)[:18]
    refused = hapi_strict.request("PUT", f"Patient/{digits}", {"resourceType": "Patient", "id": digits})

    assert refused.status_code == 400
    assert hapi_strict.put({"resourceType": "Patient", "id": f"p{digits}"}).status_code == 201


@pytest.mark.hapi
@only_hapi
def test_reference_to_nothing_is_refused_where_references_are_checked(hapi_strict: FhirServer) -> None:
    """A result whose patient is not there is 400; in one transaction the order does not matter."""
    name = f"late-{uuid.uuid4().hex}"
    result = hapi_strict.chart.observation("late", 1) | {"id": name, "subject": {"reference": f"Patient/{name}"}}
    alone = hapi_strict.request("PUT", f"Observation/{name}", result)
    together = hapi_strict.send(transaction(result, {"resourceType": "Patient", "id": name}))
    hapi_strict.stored.extend([f"Patient/{name}", f"Observation/{name}"])

    assert alone.status_code == 400
    assert [entry["response"]["status"][:3] for entry in together["entry"]] == ["201", "201"]


@pytest.mark.hapi
@only_hapi
def test_patient_with_results_cannot_be_deleted_where_references_are_checked(hapi_strict: FhirServer) -> None:
    """What others refer to stays: 409."""
    assert hapi_strict.request("DELETE", f"Patient/{hapi_strict.chart.patient}").status_code == 409


@pytest.mark.hapi
@only_hapi
def test_large_binary_is_kept_apart_and_sent_along(hapi_strict: FhirServer) -> None:
    """The resource names where its bytes are kept, and has them too; `$binary-access-read` brings them alone."""
    path = f"Binary/{hapi_strict.chart.id('binary')}"
    binary = hapi_strict.get(path).json()
    names = {each["url"].rpartition("/")[2] for each in binary["_data"]["extension"]}

    assert {"externalized-binary-id", "externalized-binary-hash-sha256"} <= names
    assert "data" in binary
    assert hapi_strict.get(f"{path}/$binary-access-read?path=Binary", Accept="*/*").content == NOTE
    assert hapi_strict.get(path, Accept="*/*").content == NOTE
