"""The resources, judged by a real HAPI FHIR server."""

from collections.abc import Iterator

import httpx
import pytest

from explain.fhir.bundle import transaction
from tests.explain.fhir.told import VARIANTS, told
from tests.explain.fhir.transparency import AI_PROVENANCE, DEFINITIONS
from tests.integration.hapi_server import why_not
from tests.integration.judging import errors_in

pytestmark = [pytest.mark.hapi, pytest.mark.skipif(bool(why_not()), reason=why_not() or "HAPI can be started")]

JSON = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}


@pytest.fixture(scope="module")
def http(hapi_base: str) -> Iterator[httpx.Client]:
    """A client of a server that knows the profiles of AI Transparency on FHIR."""
    with httpx.Client(base_url=hapi_base, headers=JSON, timeout=120) as http:
        for one in DEFINITIONS:
            http.put(f"/{one['resourceType']}/{one['id']}", json=one).raise_for_status()
        yield http


@pytest.mark.parametrize("name", VARIANTS)
def test_server_finds_no_error(http: httpx.Client, name: str) -> None:
    """Every resource is valid R4 and keeps the rules of the profiles it claims, whatever the verdict and the inputs."""
    bundle = transaction(told(name), b"%PDF-1.4")

    assert {entry["fullUrl"]: errors_in(http, entry["resource"]) for entry in bundle["entry"]} == {
        entry["fullUrl"]: [] for entry in bundle["entry"]
    }


def test_server_knows_the_profiles(http: httpx.Client) -> None:
    """A Provenance that breaks a rule of the profile is refused: the check above checks something."""
    provenance = transaction(told())["entry"][-1]["resource"]
    broken = {**provenance, "reason": [{"text": "because"}]}

    assert AI_PROVENANCE["url"] in broken["meta"]["profile"]
    assert "ai-1" in str(errors_in(http, broken))


def test_transaction_is_stored_once(http: httpx.Client) -> None:
    """One transaction stores all; sent again it makes no new version; after the second tier it adds and updates."""
    answers = [http.post("/", json=transaction(told(name))).json() for name in ("unsure", "unsure")]
    stored = [[entry["response"]["location"] for entry in answer["entry"]] for answer in answers]

    assert len(stored[0]) == 6
    assert stored[0] == stored[1]


def test_stored_report_leads_to_the_rest(http: httpx.Client) -> None:
    """The server has put real addresses in place of those within the Bundle; by them the device is found."""
    http.post("/", json=transaction(told("tested"))).raise_for_status()
    report = http.get(f"/DiagnosticReport/{told().id_of('DiagnosticReport')}").json()
    result = http.get(f"/{report['result'][0]['reference']}").json()

    assert http.get(f"/{result['device']['reference']}").json()["resourceType"] == "Device"
