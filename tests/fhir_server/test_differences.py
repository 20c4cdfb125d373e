"""Where the two servers differ on purpose: one table, and every line of it asked of both."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pytest

from tests.fhir_server.charts import Json
from tests.fhir_server.server import FhirServer, links, matches

Answer = object
EVERYBODY: Final = "everybody's"


@dataclass(frozen=True)
class Difference:
    """One request, and what the two servers make of it.

    Attributes:
        why: why the embedded server does otherwise.
        ask: sends the request and says what came of it.
        hapi: what comes of it on HAPI.
        embedded: what comes of it on the embedded server.
    """

    why: str
    ask: Callable[[FhirServer], Answer]
    hapi: Answer
    embedded: Answer


def shows_others(server: FhirServer, path: str, content: bytes | None = None, kind: str = "") -> Answer:
    """Return whose results a search that was meant for one patient brings, or its status."""
    headers = {"Cache_Control": "no-cache", **({"Content_Type": kind} if kind else {})}
    response = server.request("POST" if content is not None else "GET", path, content, **headers)
    if response.status_code != 200:
        return response.status_code
    own = {"reference": f"Patient/{server.chart.patient}"}
    return EVERYBODY if any(each.get("subject") != own for each in matches(response.json())) else "the patient's"


def status(path: str, **headers: str) -> Callable[[FhirServer], Answer]:
    """Return what asks for a path and says the status."""
    return lambda server: server.get(path.format(server.chart.patient, server.base), **headers).status_code


def posted(kind: str, body: str) -> Callable[[FhirServer], Answer]:
    """Return what sends a search in a body of a type that is no form."""
    return lambda server: shows_others(
        server, "Observation/_search?_count=200", body.replace("ID", server.chart.patient).encode(), kind
    )


def with_no_store(server: FhirServer) -> Answer:
    """Return how many matches a search shows, its total, and whether it goes on."""
    page = server.search(f"Observation?{server.of_patient}&_count=5", Cache_Control="no-store")
    return len(matches(page)), page.get("total"), "next" in links(page)


def asked_again(server: FhirServer) -> Answer:
    """Return whether a search made twice shows what was stored in between."""
    name = f"again-{uuid.uuid4().hex}"
    server.put({"resourceType": "Patient", "id": name})
    path = f"Observation?patient={name}"
    server.get(path)
    server.put(server.chart.observation("again", 1) | {"id": name, "subject": {"reference": f"Patient/{name}"}})
    response = server.get(path)
    return len(matches(response.json())), response.headers.get("x-cache", "").startswith("HIT")


def absolute_patient(server: FhirServer) -> Answer:
    """Return how many results an absolute reference to the patient finds."""
    found: int = server.search(f"Observation?patient={server.base}/Patient/{server.chart.patient}&_summary=count")[
        "total"
    ]
    return found


def everything(server: FhirServer) -> Answer:
    """Return status, and whether `_since` is obeyed."""
    response = server.get(f"Patient/{server.chart.patient}/$everything?_since=2126-01-01")
    return response.status_code, "entry" in response.json()


def all_in_one_page(server: FhirServer) -> Answer:
    """Return status and number of resources that `_revinclude` adds to a page of five."""
    path = f"Patient?_id={server.chart.patient}&_revinclude=Observation:patient&_count=5"
    response = server.get(path)
    return response.status_code, len(response.json().get("entry", ()))


def browser(server: FhirServer) -> Answer:
    """Return the content type of what a browser gets, also of an error."""
    accept = "text/html,application/xhtml+xml,*/*;q=0.8"
    answers = [server.get(f"Patient/{name}", Accept=accept) for name in (server.chart.patient, "nobody-of-this-name")]
    return [(each.status_code, each.headers["content-type"].partition(";")[0]) for each in answers]


def as_xml(server: FhirServer) -> Answer:
    """Return the content type of what is asked for as XML."""
    return server.get(f"Patient/{server.chart.patient}?_format=xml").headers["content-type"].partition(";")[0]


def behind_tls(server: FhirServer) -> Answer:
    """Return the scheme in links, where a proxy says that the caller came by https."""
    page = server.search(f"Observation?{server.of_patient}&_count=7", X_Forwarded_Proto="https")
    return links(page)["next"].partition(":")[0]


def raw_binary(server: FhirServer) -> Answer:
    """Return the status of a PUT of bytes as a Binary."""
    name = f"raw-{uuid.uuid4().hex}"
    server.stored.append(f"Binary/{name}")
    return server.request("PUT", f"Binary/{name}", b"%PDF-1.4", Content_Type="application/pdf").status_code


def unknown_element(server: FhirServer) -> Answer:
    """Return whether an element that FHIR does not have is stored."""
    patient: Json = {"resourceType": "Patient", "id": f"odd-{uuid.uuid4().hex}", "colour": "red"}
    created = server.put(patient).status_code
    return created, "colour" in server.get(f"Patient/{patient['id']}").json()


def bad_code(server: FhirServer) -> Answer:
    """Return the status of a resource with a code that its value set does not have."""
    return server.put({"resourceType": "Patient", "id": f"odd-{uuid.uuid4().hex}", "gender": "red"}).status_code


VALIDATES: Final = "the embedded server stores what it is given: it holds the demonstration's own resources"
STRICT: Final = "the embedded server refuses what it does not know, so that no filter vanishes"
SMALL: Final = "not needed by the demonstration; refused, never ignored"

DIFFERENCES: Final = {
    "empty parameter": Difference(STRICT, lambda s: shows_others(s, "Observation?patient=&_count=200"), EVERYBODY, 400),
    "search as JSON": Difference(STRICT, posted("application/json", '{"patient":"ID"}'), EVERYBODY, 415),
    "search as text": Difference(STRICT, posted("text/plain", "patient=ID"), EVERYBODY, 415),
    "search as FHIR JSON": Difference(STRICT, posted("application/fhir+json", "patient=ID"), EVERYBODY, 415),
    "no-store": Difference(
        "a page that is cut without a word is no page", with_no_store, (5, 5, False), (5, None, True)
    ),
    "60 s reuse": Difference("every search is made anew", asked_again, (0, True), (1, False)),
    "absolute reference": Difference("FHIR lets it be searched by", absolute_patient, 0, 30),
    "negative count": Difference(STRICT, status("Observation?patient={0}&_count=-1"), 200, 400),
    "bad summary": Difference(STRICT, status("Observation?patient={0}&_summary=nosuch"), 200, 400),
    "bad total": Difference(STRICT, status("Observation?patient={0}&_total=nosuch"), 200, 400),
    "summary": Difference(SMALL, status("Observation?patient={0}&_summary=true"), 200, 400),
    "chained sort": Difference(SMALL, status("Observation?patient={0}&_sort=Patient:patient.birthdate"), 200, 400),
    "chained search": Difference(SMALL, status("Observation?patient={0}&patient.gender=female"), 200, 400),
    "reverse chain": Difference(SMALL, status("Patient?_id={0}&_has:Observation:patient:code=1988-5"), 200, 400),
    "modifier": Difference(SMALL, status("Observation?patient={0}&code:missing=false"), 200, 400),
    "typed reference": Difference(SMALL, status("Observation?patient:Patient={0}"), 200, 400),
    "reverse include": Difference(SMALL, all_in_one_page, (200, 31), (400, 0)),
    "everything": Difference(SMALL, everything, (200, True), (400, False)),
    "browser": Difference(
        "the chart page is what people look at",
        browser,
        [(200, "text/html"), (404, "text/html")],
        [(200, "application/fhir+json"), (404, "application/fhir+json")],
    ),
    "XML": Difference(SMALL, as_xml, "application/fhir+xml", "application/fhir+json"),
    "forwarded scheme": Difference("uvicorn believes a proxy on its own machine", behind_tls, "http", "https"),
    "raw binary": Difference(SMALL, raw_binary, 201, 400),
    "unknown element": Difference(VALIDATES, unknown_element, (201, False), (201, True)),
    "bad code": Difference(VALIDATES, bad_code, 400, 201),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_servers_differ_only_as_the_table_says(server: FhirServer, name: str) -> None:
    """What each of the two makes of a request that they see otherwise."""
    if server.base.startswith("https:") and name == "forwarded scheme":
        pytest.skip("a proxy in front of this server says so itself")
    difference = DIFFERENCES[name]
    assert difference.ask(server) == (difference.hapi if server.name == "hapi" else difference.embedded)


@pytest.mark.hapi
def test_history_since_is_obeyed_by_hapi(hapi: FhirServer) -> None:
    """`_since` on a history leaves out what is older; the embedded server sends the whole history."""
    assert "entry" not in hapi.get(f"Patient/{hapi.chart.patient}/_history?_since=2126-01-01").json()
