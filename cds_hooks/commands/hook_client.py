"""The EHR's side of CDS Hooks, for trying a service out: discovery, prefetch, the call.

It knows nothing of our own service: what it is given may be any CDS service.
"""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import httpx

from fhir_adapter.media_types import FHIR_JSON

Resource = dict[str, Any]
USER: Final = "Practitioner/demo-doctor"
_TOKEN: Final = re.compile(r"\{\{\s*(.+?)\s*\}\}")
_DAY: Final = re.compile(r"today\(\)(?:\s*(?P<sign>[+-])\s*(?P<days>\d+)\s*days?)?")


class ServiceUnknown(Exception):
    """The address leads to no CDS service for `patient-view`."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a hook call is about.

    Attributes:
        patient: id of the Patient.
        fhir: base URL of the FHIR server, as the service reaches it.
        token: bearer token for that server, or an empty string.
    """

    patient: str
    fhir: str
    token: str = ""


@dataclass(frozen=True, slots=True)
class HookAnswer:
    """What a service answered.

    Attributes:
        cards: empty when it answered an error.
        problem: sentences of the OperationOutcome; empty when it answered cards.
        milliseconds: from sending the request to having read the answer; prefetching is not part of it.
    """

    status: int
    cards: tuple[Resource, ...]
    problem: str
    milliseconds: float


class HookClient:
    """Calls one CDS service.

    Use as `HookClient(http, await find_service(http, address))`.
    """

    def __init__(self, http: httpx.AsyncClient, service: Resource) -> None:
        self.http = http
        self.service = service

    async def fire(self, question: Question, prefetch: Resource | None = None) -> HookAnswer:
        """Fire `patient-view` for one patient.

        Raises:
            httpx.HTTPError: the service cannot be reached or does not answer in time.
        """
        body = hook_request(question, prefetch)
        start = time.perf_counter()
        response = await self.http.post(self.service["url"], json=body)
        milliseconds = (time.perf_counter() - start) * 1000
        if response.is_success:
            return HookAnswer(response.status_code, tuple(response.json()["cards"]), "", milliseconds)
        return HookAnswer(response.status_code, (), outcome_text(response), milliseconds)

    async def prefetch(self, question: Question) -> Resource:
        """Fetch what the service asks for; a key that cannot be had is left out, as the reference client does.

        Raises:
            httpx.TransportError: the FHIR server cannot be reached.
        """
        paths = {
            key: resolve_template(template, question.patient, datetime.now(UTC).date())
            for key, template in self.service.get("prefetch", {}).items()
        }
        known = {key: path for key, path in paths.items() if path is not None}
        found = await asyncio.gather(*(self._read(question, path) for path in known.values()))
        return {key: resource for key, resource in zip(known, found, strict=True) if resource is not None}

    async def _read(self, question: Question, path: str) -> Resource | None:
        """Read or search; None when the server refuses."""
        headers = {"Accept": FHIR_JSON} | ({"Authorization": f"Bearer {question.token}"} if question.token else {})
        response = await self.http.get(f"{question.fhir.rstrip('/')}/{path}", headers=headers)
        body: Resource | None = response.json() if response.is_success else None
        return body


async def find_service(http: httpx.AsyncClient, address: str) -> Resource:
    """Return the discovery entry of a service, with its `url`.

    Args:
        http: client to use.
        address: base URL of a CDS server (its first `patient-view` service is taken), or `.../cds-services/{id}`.

    Raises:
        ServiceUnknown: there is no such service.
        httpx.HTTPError: discovery failed.
    """
    base, _, wanted = address.rstrip("/").partition("/cds-services")
    response = await http.get(f"{base}/cds-services")
    response.raise_for_status()
    for service in response.json().get("services", ()):
        if service.get("hook") == "patient-view" and wanted in ("", f"/{service['id']}"):
            return dict(service) | {"url": f"{base}/cds-services/{service['id']}"}
    raise ServiceUnknown("discovery lists no such service for the hook patient-view")


def hook_request(question: Question, prefetch: Resource | None) -> Resource:
    """Return the body of a hook call."""
    body: Resource = {
        "hook": "patient-view",
        "hookInstance": str(uuid.uuid4()),
        "fhirServer": question.fhir,
        "context": {"userId": USER, "patientId": question.patient},
    }
    if question.token:
        body["fhirAuthorization"] = {
            "access_token": question.token,
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "patient/*.read",
            "subject": "mllm-cds-fire",
        }
    if prefetch is not None:
        body["prefetch"] = prefetch
    return body


def resolve_template(template: str, patient: str, today: date) -> str | None:
    """Fill in a prefetch template, or return None when it has a token that is not known here."""
    values = {
        "context.patientId": patient,
        "context.userId": USER,
        "userPractitionerId": USER.partition("/")[2],
    }
    unknown = False

    def value(match: re.Match[str]) -> str:
        nonlocal unknown
        found = values.get(match[1]) or _day(match[1], today)
        unknown = unknown or found is None
        return found or ""

    path = _TOKEN.sub(value, template)
    return None if unknown else path


def _day(token: str, today: date) -> str | None:
    """Return the day that `today() - 3 days` means, or None for another token."""
    match = _DAY.fullmatch(token)
    if match is None:
        return None
    days = int(match["days"] or 0)
    return (today + timedelta(days=-days if match["sign"] == "-" else days)).isoformat()


def outcome_text(response: httpx.Response) -> str:
    """Return what an error answer says: the sentences of its OperationOutcome, or its status."""
    try:
        issues = response.json().get("issue") or ()
        sentences = [issue.get("diagnostics") or issue.get("details", {}).get("text", "") for issue in issues]
    except (ValueError, AttributeError):
        sentences = []
    return " ".join(filter(None, sentences)) or f"the service answered HTTP {response.status_code} without a reason"
