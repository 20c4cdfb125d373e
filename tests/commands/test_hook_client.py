from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import httpx
import pytest

from cds_hooks.commands.hook_client import (
    HookAnswer,
    HookClient,
    Question,
    ServiceUnknown,
    find_service,
    hook_request,
    outcome_text,
    resolve_template,
)

SERVICES = [
    {"id": "orders", "hook": "order-sign"},
    {
        "id": "pneumonia",
        "hook": "patient-view",
        "prefetch": {"patient": "Patient/{{context.patientId}}", "odd": "X/{{%y}}", "gone": "Observation?patient=x"},
    },
]
QUESTION = Question("p-1", "http://ehr.example/fhir/")
CARD = {"summary": "s", "indicator": "info", "source": {"label": "l"}}


def answering(status: int = 200, body: Any = None) -> httpx.MockTransport:
    """Play the CDS service and the FHIR server."""

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/cds-services":
            return httpx.Response(200, json={"services": SERVICES})
        if request.url.path == "/fhir/Patient/p-1":
            return httpx.Response(200, json={"resourceType": "Patient", "id": "p-1"})
        if request.url.path.startswith("/fhir/"):
            return httpx.Response(404, json={"resourceType": "OperationOutcome"})
        return httpx.Response(status, json={"cards": [CARD]} if body is None else body)

    return httpx.MockTransport(handle)


async def with_client(transport: httpx.MockTransport) -> tuple[HookAnswer, dict[str, Any]]:
    async with httpx.AsyncClient(transport=transport) as http:
        client = HookClient(http, await find_service(http, "http://cds.example"))
        return await client.fire(QUESTION), await client.prefetch(QUESTION)


@pytest.mark.parametrize(
    "address", ["http://cds.example", "http://cds.example/", "http://cds.example/cds-services/pneumonia"]
)
def test_service_is_found_by_server_or_by_name(address: str) -> None:
    """The first patient-view service is taken, or the one that is named."""

    async def find() -> dict[str, Any]:
        async with httpx.AsyncClient(transport=answering()) as http:
            return await find_service(http, address)

    assert asyncio.run(find())["url"] == "http://cds.example/cds-services/pneumonia"


@pytest.mark.parametrize("name", ["orders", "nosuch"])
def test_service_of_another_hook_is_not_found(name: str) -> None:
    """A service that does not answer patient-view cannot be asked."""

    async def find() -> None:
        async with httpx.AsyncClient(transport=answering()) as http:
            await find_service(http, f"http://cds.example/cds-services/{name}")

    with pytest.raises(ServiceUnknown):
        asyncio.run(find())


def test_cards_come_back() -> None:
    """A good answer has cards and no problem."""
    answer, _ = asyncio.run(with_client(answering()))
    assert (answer.status, answer.cards, answer.problem) == (200, (CARD,), "")


def test_error_is_told_by_its_outcome() -> None:
    """An error has the sentences of its OperationOutcome, and no card."""
    body = {"issue": [{"diagnostics": "No patient."}, {"details": {"text": "Nothing."}}, {}]}
    answer, _ = asyncio.run(with_client(answering(412, body)))

    assert (answer.status, answer.cards, answer.problem) == (412, (), "No patient. Nothing.")


def test_prefetch_leaves_out_what_cannot_be_had() -> None:
    """Keys with unknown tokens and keys the server refuses are left out, never null."""
    _, prefetch = asyncio.run(with_client(answering()))
    assert prefetch == {"patient": {"resourceType": "Patient", "id": "p-1"}}


def test_request_has_what_the_specification_requires() -> None:
    """A hook call has hook, hookInstance, fhirServer and context; prefetch and token only when there are some."""
    body = hook_request(QUESTION, None)

    assert body.keys() == {"hook", "hookInstance", "fhirServer", "context"}
    assert body["context"] == {"userId": "Practitioner/demo-doctor", "patientId": "p-1"}


def test_token_travels_as_fhir_authorization() -> None:
    """The token is given with all fields that the specification requires."""
    given = hook_request(Question("p-1", "http://ehr.example", "secret"), {})["fhirAuthorization"]
    assert given.keys() == {"access_token", "token_type", "expires_in", "scope", "subject"}


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("Patient/{{context.patientId}}", "Patient/p-1"),
        ("Observation?date=ge{{today() - 3 days}}", "Observation?date=ge2026-02-26"),
        ("Observation?date=ge{{ today() }}", "Observation?date=ge2026-03-01"),
        ("Observation?date=le{{today() + 1 day}}", "Observation?date=le2026-03-02"),
        ("Practitioner/{{userPractitionerId}}", "Practitioner/demo-doctor"),
        ("Encounter/{{context.encounterId}}", None),
        ("Condition?x={{%conditions.entry}}", None),
    ],
)
def test_template_is_filled_in_or_left_out(template: str, path: str | None) -> None:
    """Tokens that are known are filled in; a template with another one is None."""
    assert path == resolve_template(template, "p-1", date(2026, 3, 1))


@pytest.mark.parametrize("content", [b"<html>502</html>", b"[]", b'"text"', b'{"issue": []}', b'{"issue": null}', b""])
def test_error_without_outcome_is_told_by_its_status(content: bytes) -> None:
    """A proxy's error page is told by its status."""
    assert "HTTP 502" in outcome_text(httpx.Response(502, content=content))
