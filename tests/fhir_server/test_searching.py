"""Search parameters: what they find, and what is refused."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import quote

import pytest

from tests.fhir_server.charts import LOINC, Json
from tests.fhir_server.server import FhirServer, ids, links, matches

KINDS = {"Observation": 30, "DocumentReference": 14, "DiagnosticReport": 13, "ImagingStudy": 3, "Condition": 1}
FORM = "application/x-www-form-urlencoded"


def total(server: FhirServer, path: str) -> int:
    found: int = server.search(f"{path}&_total=accurate")["total"]
    return found


@pytest.mark.parametrize("form", ["{0}", "Patient/{0}", "Patient/{0}/_history/1"])
@pytest.mark.parametrize("name", ["patient", "subject"])
@pytest.mark.parametrize("kind", KINDS)
def test_patient_is_named_in_any_form(server: FhirServer, kind: str, name: str, form: str) -> None:
    """Id and relative reference find the same, by `patient` as by `subject`."""
    assert total(server, f"{kind}?{name}={form.format(server.chart.patient)}") == KINDS[kind]


def test_patient_of_another_server_is_another(server: FhirServer) -> None:
    """`Patient/1` of another server has nothing here."""
    assert total(server, f"Observation?patient=https://other.example.org/fhir/Patient/{server.chart.patient}") == 0


def test_two_patients_are_or_and_repetition_is_and(server: FhirServer) -> None:
    """A comma joins, a second parameter narrows."""
    chart = server.chart

    assert total(server, f"Observation?patient={chart.patient},{chart.stranger}") == 33
    assert total(server, f"Observation?patient={chart.patient}&patient={chart.stranger}") == 0


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("1988-5", 18),
        (f"{LOINC}|1988-5", 18),
        (f"{LOINC}|", 30),
        ("|1988-5", 0),
        ("http://snomed.info/sct|1988-5", 0),
        ("1988-5,8867-4", 30),
        (f"{LOINC}|1988-5,{LOINC}|8867-4", 30),
        ("1988-5&code=8867-4", 0),
        ("1988", 0),
    ],
)
def test_token_is_matched_whole(server: FhirServer, code: str, found: int) -> None:
    """With or without a system, encoded, comma for "or", repeated for "and"."""
    assert total(server, f"Observation?{server.of_patient}&code={quote(code, safe=',&=')}") == found


@pytest.mark.parametrize("system", ["", "http://terminology.hl7.org/CodeSystem/observation-category%7C"])
def test_category_needs_no_system(server: FhirServer, system: str) -> None:
    """The code of a category is enough."""
    assert total(server, f"Observation?{server.of_patient}&category={system}laboratory") == 18


@pytest.mark.parametrize(
    ("dates", "found"),
    [
        ("date=2026-01-05", 1),
        ("date=2026-01", 30),
        ("date=ge2026-01-20", 11),
        ("date=lt2026-01-20", 19),
        ("date=ge2026-01-10&date=lt2026-01-20", 10),
        ("date=gt2026-01-20", 10),
        ("date=le2026-01-20", 20),
        ("date=sa2026-01-20", 10),
        ("date=eb2026-01-20", 19),
        ("date=ne2026-01-20", 29),
        ("date=ge2026-01-20T10:00:00Z", 11),
        ("date=gt2026-01-20T10:00:00Z", 10),
        ("date=ge2026-01-20T12:00:00%2B02:00", 11),
    ],
)
def test_date_is_compared_by_its_prefix(server: FhirServer, dates: str, found: int) -> None:
    """A day is the whole day, two dates narrow, a zone counts."""
    assert total(server, f"Observation?{server.of_patient}&{dates}") == found


@pytest.mark.parametrize("kind", [*KINDS, "Patient", "Endpoint", "Binary"])
@pytest.mark.parametrize(("since", "is_there"), [("ge2026-01-01", True), ("ge2126-01-01", False)])
def test_every_type_is_found_by_its_last_change(server: FhirServer, kind: str, since: str, *, is_there: bool) -> None:
    """`_lastUpdated` works in searches of any type, Binary too: what is new can be asked for."""
    names = {"Patient": server.chart.patient, "Endpoint": "endpoint", "Binary": "binary"}
    about = f"_id={names[kind] if kind == 'Patient' else server.chart.id(names[kind])}" if kind in names else ""

    assert (total(server, f"{kind}?{about or server.of_patient}&_lastUpdated={since}") > 0) is is_there


@pytest.mark.parametrize(
    ("search", "order"),
    [
        ("Observation?_sort=-date", [f"obs-{day:02d}" for day in range(30, 0, -1)]),
        ("DocumentReference?_sort=-date", [f"doc-{number:02d}" for number in range(13, -1, -1)]),
        ("ImagingStudy?_sort=-started", ["study-2", "study-1", "study-0"]),
        ("ImagingStudy?_sort=status,-_id", ["study-2", "study-1", "study-0"]),
        ("DiagnosticReport?_sort=date", [f"report-{number:02d}" for number in (*range(1, 13), 0)]),
        ("DiagnosticReport?_sort=-date", [f"report-{number:02d}" for number in (*range(12, -1, -1),)]),
    ],
)
def test_sorting_goes_over_all_pages(server: FhirServer, search: str, order: list[str]) -> None:
    """The keys are kept from page to page; what has no date comes last either way."""
    pages = server.all_pages(f"{search}&{server.of_patient}&_count=5")
    assert [name for page in pages for name in ids(page)] == order


def test_newest_change_can_come_first(server: FhirServer) -> None:
    """`_sort=-_lastUpdated` is accepted."""
    assert len(matches(server.search(f"Condition?{server.of_patient}&_sort=-_lastUpdated"))) == 1


def test_endpoint_is_included_on_every_page(server: FhirServer) -> None:
    """Included resources are marked, not counted, and come again with the next page."""
    query = f"ImagingStudy?{server.of_patient}&_sort=started&_include=ImagingStudy:endpoint&_count=2&_total=accurate"
    pages = server.all_pages(query)
    modes = [[entry["search"]["mode"] for entry in page["entry"]] for page in pages]

    assert modes == [["match", "match", "include"], ["match", "include"]]
    assert pages[0]["total"] == 3


@pytest.mark.parametrize(
    ("include", "kinds"),
    [
        ("DocumentReference:subject", {"DocumentReference", "Patient"}),
        ("DocumentReference:patient", {"DocumentReference", "Patient"}),
        ("DocumentReference:subject:Patient", {"DocumentReference", "Patient"}),
        ("*", {"DocumentReference", "Patient"}),
    ],
)
def test_patient_is_included(server: FhirServer, include: str, kinds: set[str]) -> None:
    """The target of any reference that can be searched by can be had along with it."""
    page = server.search(f"DocumentReference?{server.of_patient}&_include={include}")
    assert {entry["resource"]["resourceType"] for entry in page["entry"]} == kinds


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("Observation?patient=x&nosuch=1", 400),
        ("Observation?patient=x&date=soon", 400),
        ("Observation?patient=x&date=ap2026-01-01", 400),
        ("Observation?patient=x&date=2026-01-05,2026-01-07", 400),
        ("Observation?patient=x&_count=abc", 400),
        ("Observation?patient=x&_sort=nosuch", 400),
        ("Observation?patient=x&_sort=patient.birthdate", 400),
        ("ImagingStudy?patient=x&_sort=-date", 400),
        ("ImagingStudy?patient=x&sort:desc=date", 400),
        ("ImagingStudy?patient=x&_include=ImagingStudy:nosuch", 400),
        ("Observation/$docref?patient=x", 400),
        ("DocumentReference/$docref?patient=x", 400),
        ("Patient/x/$docref", 400),
        ("Nosuch?patient=x", 404),
        ("nosuch/x/y/z", 404),
        ("", 400),
    ],
)
@pytest.mark.parametrize("prefer", ["handling=strict", "handling=lenient"])
def test_what_is_not_understood_is_refused(server: FhirServer, path: str, status: int, prefer: str) -> None:
    """An OperationOutcome with an error, whatever handling was preferred; never an answer without the filter."""
    response = server.get(path, Prefer=prefer)
    outcome = response.json()

    assert response.status_code == status
    assert (outcome["resourceType"], outcome["issue"][0]["severity"]) == ("OperationOutcome", "error")


def test_refusal_lists_the_valid_parameters(server: FhirServer) -> None:
    """Who misspells a parameter is told which there are."""
    said = server.get("ImagingStudy?patient=x&date=2026").json()["issue"][0]["diagnostics"]
    assert "started" in said


@pytest.mark.parametrize(
    ("option", "left"),
    [("_elements=status,subject", {"resourceType", "id", "meta", "status", "subject"}), ("_summary=data", None)],
)
def test_part_of_a_resource_is_marked(server: FhirServer, option: str, left: set[str] | None) -> None:
    """Resources that were cut say so (SUBSETTED), on every page: nobody should take them for the whole."""
    pages = server.all_pages(f"DocumentReference?{server.of_patient}&{option}&_count=10")
    cut = matches(pages[0]) + (matches(pages[1]) if left else [])

    assert {each["meta"]["tag"][0]["code"] for each in cut} == {"SUBSETTED"}
    assert left is None or {name for each in cut for name in each} == left


def test_read_can_be_cut_too(server: FhirServer) -> None:
    """`_elements` works in a read, with the same mark."""
    patient = server.get(f"Patient/{server.chart.patient}?_elements=gender").json()

    assert set(patient) == {"resourceType", "id", "meta", "gender"}
    assert patient["meta"]["tag"][0]["code"] == "SUBSETTED"


def post(server: FhirServer, path: str, content: Any, kind: str = FORM) -> Json:
    response = server.request("POST", path, content, Content_Type=kind, Cache_Control="no-cache")
    assert response.status_code == 200, response.text
    found: Json = response.json()
    return found


@pytest.mark.parametrize("kind", [FORM, f"{FORM}; charset=utf-8"])
def test_search_by_post_finds_the_same(server: FhirServer, kind: str) -> None:
    """A form is read as a query is; the pages after the first are asked for by GET."""
    page = post(server, "Observation/_search", f"patient={server.chart.patient}&_sort=-date&_count=7", kind)
    second = server.search(links(page)["next"])

    assert ids(page) + ids(second) == [f"obs-{day:02d}" for day in range(30, 16, -1)]


def test_address_of_a_posted_search_does_not_repeat_the_form(server: FhirServer) -> None:
    """What was kept out of addresses stays out of the links, too."""
    page = post(server, "Observation/_search", f"patient={server.chart.patient}&_count=7")

    assert links(page)["self"] == f"{server.base}/Observation/_search"
    assert server.chart.patient not in links(page)["next"]


def test_url_and_form_both_count(server: FhirServer) -> None:
    """Parameters of the address and of the body narrow together."""
    page = post(server, f"Observation/_search?{server.of_patient}", "code=1988-5&_summary=count")
    assert page["total"] == 18


@pytest.mark.parametrize("accept", ["application/fhir+json", "application/json", "*/*", "text/csv"])
def test_answer_is_fhir_json_whatever_is_accepted(server: FhirServer, accept: str) -> None:
    """Never 406: the content type says what came."""
    response = server.get(f"Condition?{server.of_patient}", Accept=accept)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/fhir+json;charset=UTF-8")


def test_new_result_is_found_with_no_cache(server: FhirServer) -> None:
    """`Cache-Control: no-cache` makes a search anew, and its pages are whole."""
    nobody = f"r-{uuid.uuid4().hex}"
    server.put({"resourceType": "Patient", "id": nobody})
    search = f"Observation?patient={nobody}&_count=5"
    before = server.search(search)
    server.put(server.chart.observation(nobody, 1) | {"id": nobody, "subject": {"reference": f"Patient/{nobody}"}})

    assert (matches(before), len(matches(server.search(search)))) == ([], 1)
