"""News and Subscriptions on a real HAPI FHIR R4 server, which stores Subscriptions and delivers nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from pydantic import HttpUrl

from cds_hooks.ahead.access import OwnAccess
from cds_hooks.ahead.registering import Task, carry_out
from cds_hooks.ahead.settings import WatchSettings
from cds_hooks.ahead.targets import Target, targets_of
from cds_hooks.crypto import Vault
from fhir_adapter.rest.capabilities import FhirVersion
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.transport import open_http
from fhir_adapter.settings import FhirSettings
from fhir_adapter.shape import codes_of
from fhir_adapter.subscriptions.interests import INTERESTS, Interest
from fhir_adapter.subscriptions.news import News, find_news, patients_of
from fhir_adapter.subscriptions.resources import build_subscription
from tests.cds_hooks.fakes import make_settings
from tests.cds_hooks.samples import make_observation, make_patient
from tests.fhir_adapter.builders import document, soon, study
from tests.integration.hapi_server import hapi_server, why_not

pytestmark = [pytest.mark.hapi, pytest.mark.skipif(bool(why_not()), reason=why_not() or "HAPI can be started")]

LABS = next(interest for interest in INTERESTS if interest.name == "labs")
NOT_INSTALLED = {"VALIDATION_VAL_PROFILE_UNKNOWN_NOT_POLICY", "Validation_VAL_Profile_Unknown"}
"""What HAPI says of the profiles of a guide that it has not been given."""
FHIR_JSON = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}


@pytest.fixture(scope="module")
def hapi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with hapi_server(tmp_path_factory.mktemp("hapi") / "hapi.log") as base:
        yield base


@pytest_asyncio.fixture
async def http(hapi: str) -> AsyncIterator[httpx.AsyncClient]:
    async with open_http(settings(hapi)) as http:
        http.timeout = httpx.Timeout(120)
        yield http


def settings(base: str, **changes: Any) -> FhirSettings:
    return FhirSettings(**{"allowed_servers": (HttpUrl(base),), **changes})


async def put(http: httpx.AsyncClient, base: str, patient: str, *resources: dict[str, Any]) -> None:
    """Store resources of one patient, each under its id."""
    own = {"subject": {"reference": f"Patient/{patient}"}}
    for resource in (make_patient(id=patient), *({**each, **own} for each in resources)):
        answer = await http.put(f"{base}/{resource['resourceType']}/{resource['id']}", json=resource, headers=FHIR_JSON)
        assert answer.is_success, answer.text


async def look(http: httpx.AsyncClient, base: str, since: datetime, interest: Interest = LABS, **changes: Any) -> News:
    client = FhirClient(http, base, None, settings(base, **changes))
    return await find_news(client, interest, since, timedelta(0), soon())


async def server_time(http: httpx.AsyncClient, base: str) -> datetime:
    """Return a moment of HAPI's clock after everything that is stored."""
    answer = await http.put(f"{base}/Basic/clock", json={"resourceType": "Basic", "id": "clock",
        "code": {"text": datetime.now(UTC).isoformat()}}, headers=FHIR_JSON)  # fmt: skip
    moment = datetime.fromisoformat(answer.json()["meta"]["lastUpdated"])
    return moment + timedelta(milliseconds=1)


async def test_each_interest_is_found(hapi: str, http: httpx.AsyncClient) -> None:
    """What the searches of a chart would find is found as news, and only that."""
    since = await server_time(http, hapi)
    vital = make_observation(91, category=[{"coding": [{"code": "vital-signs"}]}])
    report = {"resourceType": "DiagnosticReport", "id": "n-r", "status": "final", "code": {"text": "Chest"}}
    social = make_observation(92, category=[{"coding": [{"code": "social-history"}]}])
    await put(http, hapi, "n-1", make_observation(90), vital, document(id="n-d"), report, study(id="n-s"), social)
    found = {interest.name: await look(http, hapi, since, interest) for interest in INTERESTS}

    assert {name: [change.version for change in news.changes] for name, news in found.items()} == {
        "labs": ["Observation/crp-90/_history/1"],
        "vitals": ["Observation/crp-91/_history/1"],
        "notes": ["DocumentReference/n-d/_history/1"],
        "reports": ["DiagnosticReport/n-r/_history/1"],
        "imaging": ["ImagingStudy/n-s/_history/1"],
    }
    assert {patients_of(news.changes) for news in found.values()} == {("n-1",)}


async def test_pages_come_oldest_first_and_the_next_look_goes_on(hapi: str, http: httpx.AsyncClient) -> None:
    """Cut after two pages of two, the looks still bring every result once, in the order in which it was stored."""
    since = await server_time(http, hapi)
    await put(http, hapi, "n-2", *(make_observation(number) for number in range(200, 207)))
    seen: list[str] = []
    complete = False
    while not complete:
        news = await look(http, hapi, since, page_size=2, max_pages=2)
        seen += [change.version for change in news.changes if change.version not in seen]
        since, complete = news.next_since(since), news.complete

    assert seen == [f"Observation/crp-{number}/_history/1" for number in range(200, 207)]


async def test_changed_result_is_news_again(hapi: str, http: httpx.AsyncClient) -> None:
    """A correction is a new version of the same resource."""
    since = await server_time(http, hapi)
    await put(http, hapi, "n-3", make_observation(300))
    await put(http, hapi, "n-3", make_observation(300, valueQuantity={"value": 12, "unit": "mg/L"}))
    news = await look(http, hapi, since)

    assert [change.version for change in news.changes] == ["Observation/crp-300/_history/2"]


async def test_search_is_not_answered_from_the_cache(hapi: str, http: httpx.AsyncClient) -> None:
    """HAPI answers the same search from its cache for a minute: news must not wait for that."""
    since = await server_time(http, hapi)
    before = await look(http, hapi, since)
    await put(http, hapi, "n-4", make_observation(400))

    assert (len(before.changes), len((await look(http, hapi, since)).changes)) == (0, 1)


async def test_only_subjects_are_sent(hapi: str, http: httpx.AsyncClient) -> None:
    """Of each result nothing but id, version and subject comes over the wire."""
    since = await server_time(http, hapi)
    await put(http, hapi, "n-5", make_observation(500))
    asked: list[httpx.URL] = []

    async def keep(request: httpx.Request) -> None:
        asked.append(request.url)

    http.event_hooks["request"].append(keep)
    news = await look(http, hapi, since)
    (entry,) = (await http.get(asked[0], headers=FHIR_JSON)).json()["entry"]

    assert patients_of(news.changes) == ("n-5",)
    assert entry["resource"].keys() == {"resourceType", "id", "meta", "subject"}


def targets(base: str, topics: dict[str, str]) -> tuple[Any, tuple[Target, ...]]:
    wanted = make_settings(watch=WatchSettings(servers=(base,), topics=topics))
    return wanted, targets_of(wanted, Vault("s" * 40))


@pytest.mark.parametrize("topics", [{}, {"labs": "https://ehr.example.org/topic"}], ids=["criteria", "topic"])
async def test_subscriptions_are_valid(hapi: str, http: httpx.AsyncClient, topics: dict[str, str]) -> None:
    """HAPI finds no error in what is registered on an R4 server, but that it does not know the backport's guide."""
    wanted, every = targets(hapi, topics)
    for target in every:
        resource = build_subscription(target.wanted(wanted), FhirVersion.R4)
        answer = await http.post(f"{hapi}/Subscription/$validate", json=resource, headers=FHIR_JSON)
        errors = [issue for issue in answer.json()["issue"] if issue["severity"] in ("error", "fatal")]

        assert {code for issue in errors for _, code in codes_of(issue["details"])} <= NOT_INSTALLED


async def test_registering_is_idempotent(hapi: str, http: httpx.AsyncClient) -> None:
    """Registered twice and shown, each keeps its id; taken away, none is left, and others' Subscriptions stay."""
    wanted, every = targets(hapi, {})
    other = build_subscription(
        dataclasses.replace(every[0].wanted(wanted), endpoint="https://other.example.org/x"), FhirVersion.R4
    )
    await http.put(f"{hapi}/Subscription/other", json={**other, "id": "other"}, headers=FHIR_JSON)
    access = OwnAccess(http, settings(hapi))
    held = []
    for task in (Task.REGISTER, Task.REGISTER, Task.STATUS, Task.UNREGISTER):
        reports = [report async for report in carry_out(task, every, wanted, access)]
        assert all(report.ok for report in reports), reports
        bundle = await http.get(f"{hapi}/Subscription?_count=100", headers={**FHIR_JSON, "Cache-Control": "no-cache"})
        held.append({entry["resource"]["id"] for entry in bundle.json()["entry"]})

    assert len(held[0]) == len(INTERESTS) + 1
    assert (held[0], held[3]) == (held[1], {"other"})
