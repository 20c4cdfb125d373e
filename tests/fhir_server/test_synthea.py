"""A real-shaped record of hundreds of resources (Synthea), loaded by one transaction into both servers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.fhir_server.charts import Json, bundle
from tests.fhir_server.server import FhirServer

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "fhir-r4-synthea"
FILES = sorted(FOLDER.glob("*.json"), key=lambda path: path.stat().st_size)
OF_A_PATIENT = ("Observation", "DiagnosticReport", "Encounter", "Condition", "Procedure", "MedicationRequest")
pytestmark = pytest.mark.skipif(
    not FILES, reason="needs ../shared/data/fhir-r4-synthea, which is not in the repository"
)


@pytest.fixture(params=FILES[:1], ids=lambda path: path.stem)
def record(request: pytest.FixtureRequest) -> Json:
    """The smallest of the records."""
    content: Json = orjson.loads(request.param.read_bytes())
    return content


@pytest.fixture
def patient(server: FhirServer, record: Json) -> Iterator[str]:
    """Its patient, by the id that the server gave."""
    places = [entry["response"]["location"] for entry in server.send(record)["entry"]]
    stored = [place.partition("/_history/")[0] for place in places]
    yield next(place for place in stored if place.startswith("Patient/")).removeprefix("Patient/")
    gone: list[Any] = [{"request": {"method": "DELETE", "url": place}} for place in reversed(stored)]
    server.send(bundle("batch", *gone))


def test_everything_of_a_record_is_found_with_its_patient(server: FhirServer, record: Json, patient: str) -> None:
    """As many resources of each type as were sent, and every reference leads to them."""
    sent = Counter(entry["resource"]["resourceType"] for entry in record["entry"])
    totals = {kind: server.search(f"{kind}?patient={patient}&_summary=count")["total"] for kind in OF_A_PATIENT}

    assert totals == {kind: sent[kind] for kind in OF_A_PATIENT}
