"""A made-up site: one patient with one result, note and study, and any fault that a test gives it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

import httpx
from pydantic import SecretStr

from fhir_adapter.deadline import Deadline
from fhir_adapter.settings import FhirSettings
from fhir_adapter.survey.findings import Finding
from fhir_adapter.survey.needs import NEEDS, READ
from fhir_adapter.survey.run import survey
from fhir_adapter.survey.visit import Target, Visit, open_visit
from tests.fhir_adapter.builders import (
    ARCHIVE,
    ASKED_AT,
    FILM_UID,
    PATIENT_ID,
    SERVER,
    Handler,
    Json,
    answer,
    dicom_file,
    document,
    endpoint,
    multipart,
    observation,
    outcome,
    patient,
    quantity,
    study,
)

Fault = Callable[[httpx.Request], httpx.Response | None]
SECRET = "s3cret-t0ken"
OTHER = {"reference": "Patient/somebody-else"}


def resources() -> list[Json]:
    vital = {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]
    }
    pulse = {"valueQuantity": quantity(151.25, "/min"), "category": [vital]}
    return [
        patient(),
        observation("8867-4", id="hr-2", effectiveDateTime="2026-11-24T09:00:00Z", **pulse),
        observation("8867-4", id="hr-1", effectiveDateTime="2026-11-24T08:00:00Z", **pulse),
        document(),
        study(),
        endpoint(),
    ]


def statement(**changes: Any) -> Json:
    kinds = dict.fromkeys((*READ, *(need.resource_type for need in NEEDS)))
    names = {kind: {name for need in NEEDS if need.resource_type == kind for name in need.parameters} for kind in kinds}
    rest = {
        "mode": "server",
        "resource": [
            {
                "type": kind,
                "interaction": [{"code": "read"}, {"code": "search-type"}],
                "searchParam": [{"name": name} for name in sorted(names[kind])],
            }
            for kind in kinds
        ],
    }
    return {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": [rest], **changes}


def bundle(*found: Json, **changes: Any) -> Json:
    entries = [{"resource": resource, "search": {"mode": "match"}} for resource in found]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries, **changes}


def site(*faults: Fault) -> Handler:
    """A server that does everything right, save where a fault answers first."""

    def handle(request: httpx.Request) -> httpx.Response:
        for fault in faults:
            if (reply := fault(request)) is not None:
                return reply
        if str(request.url).startswith(ARCHIVE):
            return _archive(request)
        return _fhir(request)

    return handle


def at(path: str, reply: httpx.Response | Json) -> Fault:
    """A fault: this answer to whatever lies beneath a path of the server."""

    def fault(request: httpx.Request) -> httpx.Response | None:
        made = reply if isinstance(reply, httpx.Response) else answer(reply)
        return made if f"/{path}" in request.url.path else None

    return fault


def _fhir(request: httpx.Request) -> httpx.Response:
    base = str(request.url.copy_with(path=httpx.URL(SERVER).path, query=None))
    steps = [step for step in str(request.url).partition("?")[0].partition(base)[2].split("/") if step]
    if not str(request.url).startswith(base):
        return answer(outcome(), 404)
    params = dict(parse_qsl(request.url.query.decode() or request.content.decode()))
    if steps == ["metadata"]:
        return answer(statement())
    if not steps and request.method == "POST":
        good = {"response": {"status": "200 OK"}, "resource": bundle()}
        return answer({"resourceType": "Bundle", "type": "batch-response", "entry": [good, good]})
    if len(steps) == 2 and steps[1] != "_search":
        found = [each for each in resources() if (each["resourceType"], each["id"]) == tuple(steps)]
        return answer(found[0]) if found else answer(outcome(), 404)
    return _search(base, steps[0], params)


def _search(base: str, kind: str, params: dict[str, str]) -> httpx.Response:
    if any(name.startswith("mllm-cds") for name in params):
        return answer(outcome(), 400)
    found = [each for each in resources() if each["resourceType"] == kind]
    if params.get("patient", PATIENT_ID) != PATIENT_ID or params.get("category", "vital-signs").endswith("laboratory"):
        found = []
    first, count = int(params.get("_offset", "0")), int(params.get("_count", "20"))
    more = {"link": [{"relation": "next", "url": f"{base}/{kind}?_offset={first + count}"}]}
    return answer(bundle(*found[first : first + count], **(more if len(found) > first + count else {})))


def _archive(request: httpx.Request) -> httpx.Response:
    if request.url.path.endswith("/rendered"):
        return answer(b"png", content_type="image/png")
    if FILM_UID in request.url.path:
        return multipart(dicom_file())
    return answer([{"0020000D": {}}], content_type="application/dicom+json")


def visit(*faults: Fault, handler: Handler | None = None, **target: Any) -> Visit:
    """A visit to the site; `target` changes what is looked at."""
    http = httpx.AsyncClient(transport=httpx.MockTransport(handler or site(*faults)))
    wanted = {"base_url": SERVER, "token": SecretStr(SECRET), "patient_id": PATIENT_ID, "dicomweb_url": ARCHIVE}
    looked_at = Target(**{**wanted, **target})
    made = open_visit(looked_at, http, FhirSettings(allowed_servers=(SERVER,)), ASKED_AT, Deadline.after(60))
    made.reached = True
    return made


async def findings_of(
    check: Callable[[Visit], Awaitable[tuple[Finding, ...]]], *faults: Fault, **target: Any
) -> dict[str, Finding]:
    return {finding.part: finding for finding in await check(visit(*faults, **target))}


async def whole(one: Visit) -> list[Finding]:
    return [finding async for finding in survey(one)]


class Port:
    """A port of this machine that takes connections and says nothing, so that a name can be looked up for real."""

    async def __aenter__(self) -> str:
        self._server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/fhir"

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()
