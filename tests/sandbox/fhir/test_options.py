from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.testclient import TestClient

from cds_hooks.sandbox.fhir import ServerOptions
from cds_hooks.sandbox.hospital import Sandbox

PATIENT = {"resourceType": "Patient", "id": "p-1"}
PUT = {"resource": PATIENT, "request": {"method": "PUT", "url": "Patient/p-1"}}
DELETE = {"request": {"method": "DELETE", "url": "Patient/p-1"}}


def make_client(options: ServerOptions | None = None) -> TestClient:
    sandbox = Sandbox("http://testserver", options)
    return TestClient(Starlette(routes=sandbox.routes()))


def bundle(kind: str, *entries: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


@pytest.mark.parametrize("entry", [PUT, DELETE, PUT | {"request": {"method": "POST", "url": "Patient"}}])
def test_bundle_writes_nothing_unless_writes_are_on(entry: dict[str, Any]) -> None:
    """A transaction is refused whole, an entry of a batch by itself."""
    client = make_client()
    batch = client.post("/fhir", json=bundle("batch", entry)).json()

    assert client.post("/fhir", json=bundle("transaction", entry)).status_code == 405
    assert batch["entry"][0]["response"]["status"] == "405 Method Not Allowed"
    assert client.get("/fhir/Patient/p-1").status_code == 404


def test_capability_statement_tells_what_is_on() -> None:
    """Writes, transactions and the need for a token are announced only where they are so."""
    closed = make_client().get("/fhir/metadata").json()["rest"][0]
    options = ServerOptions(writes=True, token=SecretStr("abc"))
    opened = make_client(options).get("/fhir/metadata", headers={"Authorization": "Bearer abc"}).json()["rest"][0]

    assert [each["code"] for each in closed["interaction"]] == ["batch"]
    assert [each["code"] for each in opened["interaction"]] == ["batch", "transaction"]
    assert ("security" in closed, "security" in opened) == (False, True)


def test_failing_write_stops_the_transaction_before_anything_is_stored() -> None:
    """A type that is not served is found before the first entry is stored."""
    client = make_client(ServerOptions(writes=True))
    unknown = {"resource": {"resourceType": "Nosuch"}, "request": {"method": "POST", "url": "Nosuch"}}

    assert client.post("/fhir", json=bundle("transaction", PUT, unknown)).status_code == 404
    assert client.get("/fhir/Patient/p-1").status_code == 404


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_base_address_is_not_redirected(method: str) -> None:
    """Pages and batches are asked for at the base without a slash: a redirect would lose the body."""
    assert make_client().request(method, "/fhir", follow_redirects=False).status_code == 400


@pytest.mark.parametrize("entries", ["x", [1], [{}], [{"request": "x"}], [{"request": {"method": "GET"}}]])
def test_odd_batch_is_answered(entries: object) -> None:
    """A batch that is none is an error of its own or of its entry, never of the server."""
    response = make_client().post("/fhir", json={"resourceType": "Bundle", "type": "batch", "entry": entries})
    assert response.status_code in (200, 400)
