"""A FHIR server under test, embedded or HAPI, and how to ask it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx
from pydantic import HttpUrl

from fhir_adapter.settings import FhirSettings
from tests.fhir_server.charts import Chart, Json, bundle, transaction

FHIR_JSON = "application/fhir+json"


@dataclass(frozen=True)
class FhirServer:
    """What the tests know of a server.

    Attributes:
        name: which of the two it is.
        base: its base address.
        chart: what it holds for the tests.
        http: asks for FHIR JSON, with the token where one is needed.
        token: bearer token, or None.
        stored: `Type/id` of everything that was stored, which is deleted at the end.
    """

    name: Literal["embedded", "hapi"]
    base: str
    chart: Chart
    http: httpx.Client
    token: str | None = None
    stored: list[str] = field(default_factory=list)

    @property
    def of_patient(self) -> str:
        """The search parameter of the patient."""
        return f"patient={self.chart.patient}"

    def request(self, method: str, path: str, content: Any = None, **headers: str) -> httpx.Response:
        """Send a request to a path beneath the base; a dict is sent as FHIR JSON, anything else as it is."""
        url = path if path.startswith("http") else f"{self.base}/{path}".rstrip("/")
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if not isinstance(content, dict):
            return self.http.request(method, url, content=content, headers=given)
        return self.http.request(method, url, json=content, headers={"Content-Type": FHIR_JSON, **given})

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Ask for a path."""
        return self.request("GET", path, **headers)

    def search(self, path: str, **headers: str) -> Json:
        """Return the Bundle of a search, made anew: HAPI answers from an earlier one otherwise."""
        response = self.get(path, **{"Cache_Control": "no-cache", **headers})
        assert response.status_code == 200, response.text
        found: Json = response.json()
        return found

    def all_pages(self, path: str) -> list[Json]:
        """Return the Bundles of all pages of a search."""
        pages = [self.search(path)]
        while url := links(pages[-1]).get("next"):
            pages.append(self.search(url))
        return pages

    def send(self, sent: Json) -> Json:
        """Send a Bundle to the base and return the answer."""
        response = self.request("POST", "", sent)
        assert response.status_code == 200, response.text
        answer: Json = response.json()
        return answer

    def put(self, resource: Json) -> httpx.Response:
        """Store a resource at its id; it is deleted at the end of the session."""
        path = f"{resource['resourceType']}/{resource['id']}"
        self.stored.append(path)
        return self.request("PUT", path, resource)

    def fhir_settings(self, **changes: Any) -> FhirSettings:
        """Return settings of a client that may ask this server."""
        return FhirSettings(**{"allowed_servers": (HttpUrl(self.base),), **changes})


@contextmanager
def opened(name: Literal["embedded", "hapi"], base: str, token: str | None = None) -> Iterator[FhirServer]:
    """Load the chart into a server, and delete all that was stored when the tests are done."""
    headers = {"Accept": FHIR_JSON, **({"Authorization": f"Bearer {token}"} if token else {})}
    with httpx.Client(headers=headers, timeout=120) as http:
        server = FhirServer(name, base, Chart(), http, token)
        resources = server.chart.resources()
        server.send(transaction(*resources))
        server.stored.extend(f"{each['resourceType']}/{each['id']}" for each in resources)
        yield server
        # The other way round: what is referred to goes last.
        gone = [{"request": {"method": "DELETE", "url": path}} for path in reversed(server.stored)]
        server.send(bundle("batch", *gone))


def links(page: Json) -> dict[str, str]:
    """Return the links of a page by relation."""
    return {link["relation"]: link["url"] for link in page.get("link", ())}


def matches(page: Json) -> list[Json]:
    """Return the matches of a page."""
    return [entry["resource"] for entry in page.get("entry", ()) if entry["search"]["mode"] == "match"]


def ids(page: Json) -> list[str]:
    """Return the ids of the matches of a page, without the mark of the chart."""
    return [each["id"].rpartition("-")[0] for each in matches(page)]
