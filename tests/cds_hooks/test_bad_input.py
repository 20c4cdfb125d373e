"""Every line of "Bad input": refused in words, with nothing computed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from pydantic import HttpUrl

from fhir_adapter.settings import FhirSettings
from tests.cds_hooks.fakes import FakePipeline, Running, make_engine, make_settings, running, until
from tests.cds_hooks.samples import (
    PATIENT_ID,
    SERVER,
    TOKEN,
    make_authorization,
    make_bundle,
    make_hook,
    make_observation,
    make_patient,
    make_prefetch,
)
from tests.servers import free_port

URL = "/cds-services/mllm-diagnosis"
FOREIGN = {"reference": "Patient/somebody-else"}


def issue_of(response: httpx.Response) -> dict[str, Any]:
    """Return the first issue of an OperationOutcome."""
    assert response.headers["content-type"] == "application/fhir+json"
    assert response.json()["resourceType"] == "OperationOutcome"
    issue: dict[str, Any] = response.json()["issue"][0]
    return issue


@pytest.mark.parametrize(
    ("path", "headers", "body", "status"),
    [
        (URL, {"Content-Type": "application/json"}, b"{", 400),
        (URL, {"Content-Type": "application/json"}, b"[]", 400),
        (URL, {"Content-Type": "application/json"}, b'{"a":' * 300 + b"1" + b"}" * 300, 400),
        (URL, {"Content-Type": "text/plain"}, b"{}", 415),
        ("/cds-services/unknown", {"Content-Type": "application/json"}, b"{}", 404),
        ("/cds-services/unknown/feedback", {"Content-Type": "application/json"}, b"{}", 404),
        ("/elsewhere", {"Content-Type": "application/json"}, b"{}", 404),
        ("/cds-services", {"Content-Type": "application/json"}, b"{}", 405),
    ],
)
async def test_request_of_the_wrong_form(
    service: Running, path: str, headers: dict[str, str], body: bytes, status: int
) -> None:
    """Malformed JSON, another media type, an unknown service or path: 4xx with an OperationOutcome."""
    response = await service.client.post(path, content=body, headers=headers)

    assert status == response.status_code
    assert issue_of(response)["diagnostics"]
    assert service.pipeline.cases == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"hook": "order-sign", "context": {"userId": "x", "selections": []}}, "hook"),
        ({"context": {"userId": "Practitioner/1"}}, "context.patientId"),
        ({"context": {"patientId": 3, "userId": "Practitioner/1"}}, "context.patientId"),
        ({"prefetch": make_prefetch(labs="text")}, "prefetch.labs"),
        ({"prefetch": make_prefetch(labs=make_patient())}, "prefetch.labs"),
        ({"prefetch": make_prefetch(patient=make_observation())}, "prefetch.patient"),
        ({"fhirAuthorization": make_authorization()}, "fhirServer"),
    ],
)
async def test_wrong_field_is_named(service: Running, changes: dict[str, Any], field: str) -> None:
    """A missing or wrong field, or a hook of another kind, is a 400 that names the field by its path."""
    response = await service.fire(make_hook(**changes))

    assert (400, [field]) == (response.status_code, issue_of(response)["expression"])
    assert service.pipeline.cases == []


@pytest.mark.parametrize(
    ("prefetch", "field"),
    [
        (make_prefetch(patient=make_patient(id="somebody-else")), "prefetch.patient"),
        (make_prefetch(labs=make_bundle(make_observation(), make_observation(2, subject=FOREIGN))), "prefetch.labs"),
        (make_prefetch(vitals=make_bundle(make_observation(subject=FOREIGN))), "prefetch.vitals"),
        (make_prefetch(labs=make_bundle({**make_observation(), "subject": None})), "prefetch.labs"),
    ],
)
async def test_data_of_another_patient_are_refused(service: Running, prefetch: dict[str, Any], field: str) -> None:
    """One resource of another patient, or of nobody, refuses the whole call: nothing is computed, nothing stored."""
    response = await service.fire(make_hook(prefetch=prefetch))

    assert (400, [field]) == (response.status_code, issue_of(response)["expression"])
    assert issue_of(response)["code"] == "security"
    assert service.pipeline.cases == []


async def pieces() -> AsyncIterator[bytes]:
    """Send a body without saying how long it is."""
    for _ in range(20):
        yield b" " * 100


@pytest.mark.parametrize("content", [b" " * 2000, pieces])
async def test_body_beyond_the_limit(content: Any) -> None:
    """A body that is too large is a 413, by its announced length or as soon as too much has come."""
    async with running(settings=make_settings(max_body_bytes=1024)) as service:
        body = content() if callable(content) else content
        response = await service.client.post(URL, content=body, headers={"Content-Type": "application/json"})

    assert (response.status_code, issue_of(response)["code"]) == (413, "too-long")


async def test_body_within_the_limit_passes() -> None:
    """The limit is on the body, not on what it holds."""
    async with running(settings=make_settings(max_body_bytes=4096)) as service:
        assert (await service.fire(make_hook())).status_code == 200


async def test_without_a_patient_there_is_no_answer(service: Running) -> None:
    """Neither prefetched nor to be fetched: 412, which says what to do."""
    response = await service.fire(make_hook(prefetch={}))

    assert (response.status_code, issue_of(response)["expression"]) == (412, ["prefetch.patient"])


@pytest.mark.parametrize(
    "patient", [None, {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}]
)
async def test_client_that_could_not_prefetch_is_not_asked_again(service: Running, patient: Any) -> None:
    """Null is "there is none" and an OperationOutcome "it failed": both are 412 for the Patient."""
    assert (await service.fire(make_hook(prefetch=make_prefetch(patient=patient)))).status_code == 412


async def test_server_that_is_not_allowed() -> None:
    """An address that the operator has not allowed is refused, and never contacted."""
    fhir = FhirSettings(allowed_servers=(HttpUrl("https://only.example.org/fhir"),))
    async with running(fhir=fhir) as service:
        response = await service.fire(make_hook(fhirServer=SERVER, fhirAuthorization=make_authorization()))

    assert (response.status_code, issue_of(response)["expression"]) == (403, ["fhirServer"])
    assert service.pipeline.cases == []


async def test_site_without_allowed_servers_works_on_prefetch(service: Running) -> None:
    """Where no server is allowed at all, the EHR's address is not used, and neither is its token."""
    response = await service.fire(make_hook(fhirServer=SERVER, fhirAuthorization=make_authorization()))
    (case,) = service.pipeline.cases

    assert (response.status_code, case.fhir_server, case.grant) == (200, None, None)


async def test_server_that_is_down() -> None:
    """A FHIR server that does not answer, with nothing prefetched: 412."""
    server = f"http://127.0.0.1:{free_port()}/fhir"
    async with running(fhir=FhirSettings(allowed_servers=(HttpUrl(server),))) as service:
        response = await service.fire(make_hook(fhirServer=server, prefetch={}))

    assert (response.status_code, response.json()["resourceType"]) == (412, "OperationOutcome")


async def test_server_that_is_down_leaves_what_was_prefetched() -> None:
    """What the server would have had is a gap; what was prefetched is judged."""
    server = f"http://127.0.0.1:{free_port()}/fhir"
    prefetch = {"patient": make_patient(), "labs": make_bundle(make_observation())}
    async with running(fhir=FhirSettings(allowed_servers=(HttpUrl(server),))) as service:
        response = await service.fire(make_hook(fhirServer=server, prefetch=prefetch))
        (case,) = service.pipeline.cases

    assert response.status_code == 200
    assert case.chart is not None
    assert {"text", "image"} <= {gap.modality for gap in case.chart.gaps}


@asynccontextmanager
async def silent_server() -> AsyncIterator[str]:
    """Run a server that takes every question and never answers."""

    async def hold(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _reader.read()
        writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/fhir"
    finally:
        server.close()


@pytest.mark.parametrize("prefetch", [{"patient": make_patient()}, {}])
async def test_server_that_is_too_slow_is_left_to_the_worker(prefetch: dict[str, Any]) -> None:
    """What does not come in time, be it the Patient, is fetched by the worker: the card says that it runs."""
    async with silent_server() as server:
        fhir, settings = FhirSettings(allowed_servers=(HttpUrl(server),)), make_settings(answer_within_s=0.1)
        async with running(fhir=fhir, settings=settings) as service:
            service.pipeline.hold()
            hook = make_hook(fhirServer=server, fhirAuthorization=make_authorization(), prefetch=prefetch)
            (card,) = (await service.fire(hook)).json()["cards"]
            await until(lambda: bool(service.pipeline.cases))
            (case,) = service.pipeline.cases
            service.pipeline.let_go()

    assert card["summary"].startswith("Analysis running")
    assert (case.chart, case.prefetch, case.fhir_server) == (None, prefetch, server)
    assert case.grant is not None
    assert case.grant.token.get_secret_value() == TOKEN


async def test_unforeseen_failure_tells_nothing_of_the_inside() -> None:
    """Whatever breaks in the web process is a 500 with an OperationOutcome: no trace, no data."""

    async def broken(*_: object, **__: object) -> Any:
        raise RuntimeError(f"trace of {PATIENT_ID}")

    def engine(pipeline: FakePipeline) -> Any:
        return make_engine(pipeline, collect=broken)

    async with running(engine=engine) as service:
        response = await service.fire(make_hook())

    assert (response.status_code, issue_of(response)["code"]) == (500, "exception")
    assert "Traceback" not in response.text
    assert PATIENT_ID not in response.text
