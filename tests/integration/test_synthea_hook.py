"""The hook against a real HAPI FHIR server that wants a token: with and without prefetch, and with a wrong token."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from cds_hooks.sandbox.cases import load_cases
from fhir_adapter.measurements.quantities import QUANTITY_OF_LOINC
from tests.integration import synthea
from tests.integration.conftest import NOW, TOKEN, Hospital
from tests.integration.hook_service import HookService, Json, hook_service
from tests.integration.oracle import CLOSE, Reading, readings
from tests.integration.units_by_hand import converted

NEEDS_SYNTHEA = pytest.mark.skipif(bool(synthea.why_not()), reason=synthea.why_not() or "the records are there")
pytestmark = pytest.mark.hapi

DEMO = [case.id for case in load_cases()]
EVERYBODY = [*(pytest.param(name, marks=NEEDS_SYNTHEA) for name in synthea.NAMES), *DEMO]
OF_THE_CALL = {"uuid", "url", "job", "jobMs", "modelMs"}
"""What differs from call to call: identifiers, links, times."""
PRINTED = {"Cel": "°C", "10*9/L": "× 10⁹/L"}
"""UCUM code to what the page prints; any other unit is printed as its code."""
ROW = re.compile(r'data-source="([^"]+)">\s*<th.*?class="reading"><b[^>]*>([^<]+)</b>', re.DOTALL)


@pytest.fixture(scope="module")
def service(hospital: Hospital, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HookService]:
    with hook_service(tmp_path_factory.mktemp("service"), hospital.settings, NOW) as service:
        yield service


def id_of(name: str) -> str:
    """Return the id of a patient."""
    return name if name in DEMO else synthea.patient_id(name)


def hook(hospital: Hospital, patient: str, prefetch: Json | None = None, token: str | None = TOKEN) -> Json:
    """Return a hook call as an EHR sends it; without a token it gives no authorization."""
    grant = {"token_type": "Bearer", "expires_in": 3600, "scope": "patient/*.read", "subject": "cds-of-the-tests"}
    return {
        "hook": "patient-view",
        "hookInstance": str(uuid.uuid4()),
        "context": {"userId": "Practitioner/of-the-tests", "patientId": patient},
        "fhirServer": hospital.fhir,
        **({"fhirAuthorization": {"access_token": token, **grant}} if token else {}),
        **({} if prefetch is None else {"prefetch": prefetch}),
    }


def prefetched(hospital: Hospital, service: HookService, name: str, keys: Iterable[str] | None = None) -> Json:
    """Return what an EHR sends along for the templates of discovery, or for some of them."""
    patient = id_of(name)
    found = {}
    for key, template in service.templates().items():
        if keys is None or key in keys:
            found[key] = hospital.get(re.sub(r"\{\{(.+?)\}\}", lambda token: value(token[1], patient), template))
    return found


def value(token: str, patient: str) -> str:
    """Return what stands for a prefetch token (CDS Hooks 2.0, "Prefetch tokens", and `today()` of 3.0)."""
    if token == "context.patientId":
        return patient
    days = int(re.fullmatch(r"today\(\) - (\d+) days", token)[1])  # type: ignore[index]
    return (NOW.date() - timedelta(days=days)).isoformat()


def lasting(part: Any) -> Any:
    """Return part of a card without what differs from call to call."""
    if isinstance(part, dict):
        return {key: lasting(value) for key, value in part.items() if key not in OF_THE_CALL}
    return [lasting(item) for item in part] if isinstance(part, list) else part


def content(answer: httpx.Response) -> Json:
    """Return what the card says, the lines of its detail in an order of their own.

    A server may list results of one instant in any order, and what is missing is told in the order of the list.
    """
    card = lasting(card_of(answer))
    return {**card, "detail": sorted(card["detail"].splitlines())}


def card_of(answer: httpx.Response) -> Json:
    """Return the one card of an answer."""
    (card,) = answer.raise_for_status().json()["cards"]
    return dict(card)


@pytest.mark.parametrize("name", EVERYBODY)
def test_card_is_the_same_however_the_chart_comes(hospital: Hospital, service: HookService, name: str) -> None:
    """Read from the server, sent along whole, or sent along in part: the same chart gives the same card."""
    patient = id_of(name)
    sent = [None, prefetched(hospital, service, name), prefetched(hospital, service, name, ("patient", "labs"))]
    cards = [content(service.fire(hook(hospital, patient, prefetch))) for prefetch in sent]

    assert cards[0]["extension"]["org.mllm-cds.result"]["state"] == "done"
    assert cards[1:] == cards[:1] * 2


def test_prefetch_alone_is_enough_for_what_it_holds(hospital: Hospital, service: HookService) -> None:
    """Without access to any server, a child without a film gets the same card: nothing else was to be fetched."""
    sent = prefetched(hospital, service, "demo-n5r4")
    alone = {key: part for key, part in hook(hospital, "demo-n5r4", sent, token=None).items() if key != "fhirServer"}
    cards = [content(service.fire(each)) for each in (alone, hook(hospital, "demo-n5r4", sent))]

    assert cards[0] == cards[1]


@pytest.mark.parametrize("name", EVERYBODY)
def test_every_value_of_the_page_is_one_of_the_source(hospital: Hospital, service: HookService, name: str) -> None:
    """Each row of the page shows the number of the resource that it names, in the unit that it prints."""
    patient = id_of(name)
    page = service.http.get(card_of(service.fire(hook(hospital, patient)))["links"][0]["url"]).text
    rows = [(source.partition("/_history/")[0], shown) for source, shown in ROW.findall(page)]
    numbers: dict[str, list[Reading]] = {}
    for one in readings(source_of(hospital, name)):
        numbers.setdefault(one.reference, []).append(one)
    values = [(reference, shown) for reference, shown in rows if reference in numbers]

    assert len(values) >= 3
    assert [row for row in values if not any(is_shown(one, row[1]) for one in numbers[row[0]])] == []


def source_of(hospital: Hospital, name: str) -> list[Json]:
    """Return the resources that a patient was loaded from."""
    return [
        entry["resource"] for entry in (hospital.samples.bundle if name in DEMO else synthea.bundle(name, NOW))["entry"]
    ]


def is_shown(reading: Reading, shown: str) -> bool:
    """Whether a printed value is this number, rounded to the digits that are printed."""
    quantity = QUANTITY_OF_LOINC[min(reading.codes)]
    exact = converted(reading.value, reading.unit, quantity.unit, min(reading.codes))
    figure = re.match(r"-?\d+(?:\.(\d+))?", shown)
    if figure is None or exact is None or shown[figure.end() :].strip() != PRINTED.get(quantity.unit, quantity.unit):
        return False
    step = float(f"1e-{len(figure[1] or '')}")
    return abs(float(figure[0]) - exact) <= step / 2 + CLOSE


@pytest.mark.parametrize("name", EVERYBODY)
def test_export_cites_versions_that_the_server_has(hospital: Hospital, service: HookService, name: str) -> None:
    """Each source that Provenance names can be read back by its version, and all of it is about this patient."""
    patient = id_of(name)
    page = card_of(service.fire(hook(hospital, patient)))["links"][0]["url"]
    resources = [entry["resource"] for entry in service.http.get(f"{page}/fhir").raise_for_status().json()["entry"]]
    (provenance,) = [one for one in resources if one["resourceType"] == "Provenance"]
    cited = [one["what"]["reference"] for one in provenance["entity"] if one["role"] == "source"]
    subjects = {one["subject"]["reference"] for one in resources if "subject" in one}

    assert len([hospital.get(reference) for reference in cited if "/_history/" in reference]) == len(cited) >= 4
    assert subjects == {f"Patient/{patient}"}


@pytest.mark.parametrize("token", [None, "another-token"], ids=["no token", "wrong or expired token"])
def test_no_chart_without_a_valid_token(hospital: Hospital, service: HookService, token: str | None) -> None:
    """A server that refuses leaves nothing to judge: 412, with the reason and without a card."""
    answer = service.fire(hook(hospital, DEMO[0], token=token))

    assert answer.status_code == 412
    assert "refused access" in answer.json()["issue"][0]["diagnostics"]


def test_what_was_refused_is_said_on_the_card(hospital: Hospital, service: HookService) -> None:
    """With part of the chart sent along and a token that is no longer good, the card says what was refused."""
    sent = prefetched(hospital, service, DEMO[0], ("patient", "vitals"))
    card = card_of(service.fire(hook(hospital, DEMO[0], sent, "another-token")))
    missing = card["detail"].partition("**Missing**")[2]

    assert [item in missing for item in ("aboratory results", "linical notes", "adiograph")] == [True] * 3
    assert "the FHIR server refused access" in missing


def test_corrected_result_is_read_in_its_new_version(hospital: Hospital, service: HookService) -> None:
    """A result that the laboratory corrects is shown with its new value and cited with its new version."""
    patient = "demo-w8m2"
    found = hospital.get(f"Observation?patient={patient}&code=1988-5")["entry"][0]["resource"]
    before = {key: found[key] for key in found if key != "meta"}
    changed = {**before, "status": "corrected", "valueQuantity": {**before["valueQuantity"], "value": 61}}
    for version in (changed, before):
        hospital.http.put(f"Observation/{found['id']}", json=version).raise_for_status()
        page = service.http.get(card_of(service.fire(hook(hospital, patient)))["links"][0]["url"]).text
        (row,) = [(source, shown) for source, shown in ROW.findall(page) if f"/{found['id']}/" in source]
        stated = hospital.get(f"Observation/{found['id']}")

        assert (row[0].rpartition("/")[2], row[1]) == (
            stated["meta"]["versionId"],
            f"{stated['valueQuantity']['value']:g} mg/L",
        )
