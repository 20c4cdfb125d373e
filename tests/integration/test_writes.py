"""Whatever this product writes, judged and stored by a real HAPI FHIR server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from threading import Event
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest

from cds_hooks.audit_events.event import audit_event
from cds_hooks.commands.auditing import Asked, run_audit
from cds_hooks.commands.transactions import put_bundle, send_transaction
from cds_hooks.order import draft_order
from cds_hooks.store.audit import What
from cds_hooks.suggestion import draft_condition
from explain.tested import Help
from inference.contract import DIAGNOSES, MEASUREMENTS
from tests.cds_hooks.audit_events.rows import RECORDER, row_of
from tests.cds_hooks.samples import ASKED_AT, make_explanation, make_prediction
from tests.explain.fhir.transparency import DEFINITIONS
from tests.integration.conftest import FHIR_JSON, NOW, TOKEN, Hospital
from tests.integration.hook_service import HookService, hook_service
from tests.integration.judging import errors_in
from tests.integration.test_synthea_hook import card_of, hook

pytestmark = pytest.mark.hapi

Json = dict[str, Any]
ANSWER, OUT_OF_SCOPE, UNSURE = "demo-t4k1", "demo-a6d7", "writes-1"
VERDICTS = {"answer": ANSWER, "out of scope": OUT_OF_SCOPE, "unsure": UNSURE}
KINDS = {"RiskAssessment", "DiagnosticReport", "Provenance", "Device", "DocumentReference"}
CHECK_WITHIN_S = 60.0


def feverish_child() -> list[Json]:
    """Return a child of three of whom nothing is known but a raised temperature, which leaves everything possible."""
    born = (NOW - timedelta(days=3 * 365 + 40)).date().isoformat()
    category = "http://terminology.hl7.org/CodeSystem/observation-category"
    quantity = {"value": 38.4, "unit": "°C", "system": "http://unitsofmeasure.org", "code": "Cel"}
    patient = {"resourceType": "Patient", "id": UNSURE, "gender": "female", "birthDate": born}
    temperature = {
        "resourceType": "Observation",
        "id": f"{UNSURE}-o1",
        "status": "final",
        "category": [{"coding": [{"system": category, "code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "8310-5", "display": "Body temperature"}]},
        "subject": {"reference": f"Patient/{UNSURE}"},
        "effectiveDateTime": (NOW - timedelta(hours=1)).isoformat(),
        "valueQuantity": quantity,
    }
    return [patient, temperature]


@pytest.fixture(scope="module")
def judge(hospital: Hospital) -> Hospital:
    """HAPI that knows the profiles of AI Transparency on FHIR, and one child more."""
    for one in DEFINITIONS:
        hospital.http.put(f"/{one['resourceType']}/{one['id']}", json=one).raise_for_status()
    send_transaction(hospital.http, hospital.fhir, put_bundle(feverish_child()), TOKEN)
    return hospital


def versions(judge: Hospital, resources: list[Json]) -> set[str]:
    """Return the versions in which the server has resources."""
    return {judge.get(f"{one['resourceType']}/{one['id']}")["meta"]["versionId"] for one in resources}


@pytest.fixture(scope="module")
def service(judge: Hospital, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HookService]:
    """A service that tests its explanations."""
    with hook_service(tmp_path_factory.mktemp("writes"), judge.settings, NOW, checks=True) as service:
        yield service


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one patient.

    Attributes:
        verdict: as the card has it.
        card: of a hook that was fired after the explanation had been tested.
        tiers: the page's export as FHIR, before and after that.
    """

    verdict: str
    card: Json
    tiers: tuple[Json, Json]


@pytest.fixture(scope="module")
def told_of(judge: Hospital, service: HookService) -> Callable[[str], Told]:
    """Ask about each patient once."""
    known: dict[str, Told] = {}

    def told(patient: str) -> Told:
        if patient not in known:
            known[patient] = _told(judge, service, patient)
        return known[patient]

    return told


def _told(judge: Hospital, service: HookService, patient: str) -> Told:
    # A check gives way to whoever goes first: until the first export is there, that is us.
    with service.parts.way.first():
        card = card_of(service.fire(hook(judge, patient)))
        page = card["links"][0]["url"]
        first = exported(service, page)
    pause, until = Event(), time.monotonic() + CHECK_WITHIN_S
    while service.http.get(f"{page}/status").json()["checked"] == "running":
        assert time.monotonic() < until, "the check did not end"
        pause.wait(0.05)
    again = card_of(service.fire(hook(judge, patient)))
    return Told(card["extension"]["org.mllm-cds.result"]["verdict"], again, (first, exported(service, page)))


def exported(service: HookService, page: str) -> Json:
    """Return the page's export with the printed page in it."""
    bundle: Json = service.http.get(f"{page}/fhir?report=pdf").raise_for_status().json()
    return bundle


@pytest.mark.parametrize("tier", [0, 1], ids=["first tier", "second tier"])
@pytest.mark.parametrize("verdict", VERDICTS)
def test_explanation_is_valid(judge: Hospital, told_of: Callable[[str], Told], verdict: str, tier: int) -> None:
    """The server finds no error in what the page of a real hook exports, with every verdict and after each tier."""
    told = told_of(VERDICTS[verdict])
    resources = of_bundle(told.tiers[tier])

    assert told.verdict == verdict
    assert [errors_in(judge.http, one) for one in resources] == [[]] * len(resources)
    assert {one["resourceType"] for one in resources} >= KINDS


@pytest.mark.parametrize("verdict", VERDICTS)
def test_explanation_is_stored_once(judge: Hospital, told_of: Callable[[str], Told], verdict: str) -> None:
    """Each export that is sent twice is stored once; that of the second tier updates what the first one left."""
    first, second = told_of(VERDICTS[verdict]).tiers
    newest: dict[str, set[str]] = {}
    for bundle in (first, first, second, second):
        judge.http.post("", json=bundle).raise_for_status()
        newest |= {one["id"]: versions(judge, [one]) for one in of_bundle(bundle)}
    changed = {one["id"] for one in of_bundle(first)} & {
        one["id"] for one in of_bundle(second) if one not in of_bundle(first)
    }

    assert newest == {key: {"2" if key in changed else "1"} for key in newest}


def of_bundle(bundle: Json) -> list[Json]:
    """Return the resources of a Bundle."""
    return [entry["resource"] for entry in bundle["entry"]]


def test_second_tier_adds_what_it_found(told_of: Callable[[str], Told]) -> None:
    """What is validated after the second tier is more than before: the Observation of fidelity."""
    kinds = [[one["resourceType"] for one in of_bundle(tier)] for tier in told_of(VERDICTS["answer"]).tiers]

    assert [tier.count("Observation") for tier in kinds] == [1, 2]


def accept(judge: Hospital, card: Json) -> httpx.Response:
    """Store what a card suggests, as an EHR does when the user accepts it (CDS Hooks, action type `create`)."""
    (suggestion,) = card["suggestions"]
    (action,) = suggestion["actions"]
    assert action["type"] == "create"
    assert errors_in(judge.http, action["resource"]) == []
    return judge.http.post(f"/{action['resource']['resourceType']}", json=action["resource"])


@pytest.mark.parametrize(("patient", "kind"), [(ANSWER, "Condition"), (UNSURE, "ServiceRequest")])
def test_accepted_suggestion_is_stored(
    judge: Hospital, told_of: Callable[[str], Told], patient: str, kind: str
) -> None:
    """What the card of a real hook offers is valid, and stored about its patient when a user accepts it."""
    answer = accept(judge, told_of(patient).card)
    stored = judge.get(f"{kind}/{answer.json()['id']}")

    assert (answer.status_code, stored["subject"]["reference"]) == (201, f"Patient/{patient}")


@pytest.mark.parametrize("diagnosis", [one.key for one in DIAGNOSES if one.snomed])
def test_every_draft_diagnosis_is_valid(judge: Hospital, diagnosis: str) -> None:
    """Whichever diagnosis the model gives, its draft is a valid Condition."""
    chances = tuple(0.9 if one.key == diagnosis else 0.05 for one in DIAGNOSES)
    prediction = make_prediction(chances, prediction_set=(diagnosis,))
    draft = draft_condition(prediction, make_explanation(), ANSWER, ASKED_AT)

    assert draft is not None
    assert errors_in(judge.http, draft) == []


ORDERS = [draft_order(Help(key, key, 2, 1.1, 0.5), ANSWER) for key in ("image", *(slot.key for slot in MEASUREMENTS))]


@pytest.mark.parametrize("order", [pytest.param(one, id=one["code"]["text"]) for one in ORDERS if one])
def test_every_draft_request_is_valid(judge: Hospital, order: Json) -> None:
    """Whatever would help most, the draft that asks for it is a valid ServiceRequest."""
    assert errors_in(judge.http, order) == []


@pytest.mark.parametrize("action", What)
def test_every_audit_event_is_valid_and_stored_once(judge: Hospital, action: What) -> None:
    """Each kind of row of the trail is a valid AuditEvent; sent twice it is there in one version."""
    event = audit_event(row_of(action), uuid4(), RECORDER)
    found = errors_in(judge.http, event)
    for _ in range(2):
        send_transaction(judge.http, judge.fhir, put_bundle([event]), TOKEN)

    assert (found, versions(judge, [event])) == ([], {"1"})


def test_broken_audit_event_is_refused(judge: Hospital) -> None:
    """The server does look: an event without its agents, or with a word for an action, is an error."""
    event = audit_event(row_of(What.PAGE_OPENED), uuid4(), RECORDER)

    assert errors_in(judge.http, {key: part for key, part in event.items() if key != "agent"})
    assert errors_in(judge.http, {**event, "action": "look"})


def test_trail_of_a_service_is_stored_once(
    judge: Hospital,
    service: HookService,
    told_of: Callable[[str], Told],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`mllm-cds audit --send`, run twice, leaves one AuditEvent in one version for each row; --fhir prints the same."""
    monkeypatch.setenv("CDS_STATE_DIR", str(service.settings.state_dir))
    monkeypatch.setenv("CDS_PUBLIC_URL", str(service.settings.public_url))
    service.http.get(told_of(ANSWER).card["links"][0]["url"]).raise_for_status()
    for _ in range(2):
        run_audit(Asked(), as_fhir=False, send_to=judge.fhir, token=TOKEN)
    capsys.readouterr()
    run_audit(Asked(), as_fhir=True, send_to="", token="")
    events = [orjson.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert {event["subtype"][0]["code"] for event in events} >= {
        "hook-answered", "job-run", "check-run", "page-opened", "fhir-exported",
    }  # fmt: skip
    assert versions(judge, events) == {"1"}


def test_stored_trail_can_be_asked(judge: Hospital) -> None:
    """A repository finds who was refused: type, action and outcome are searchable as R4 defines them."""
    event = audit_event(row_of(What.HOOK_REFUSED), uuid4(), RECORDER)
    send_transaction(judge.http, judge.fhir, put_bundle([event]), TOKEN)
    query = {"type": "http://dicom.nema.org/resources/ontology/DCM|110112", "action": "E", "outcome": "8"}
    found = judge.http.get("/AuditEvent", params=query, headers={"Cache-Control": "no-cache", "Accept": FHIR_JSON})

    assert event["id"] in [entry["resource"]["id"] for entry in found.json()["entry"]]
