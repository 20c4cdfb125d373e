"""What a chart lacks, asked for in one batch."""

import httpx
import orjson
import pytest

from fhir_adapter.chart import Chart
from fhir_adapter.collect import collect_chart
from fhir_adapter.errors import ChartUnavailable
from fhir_adapter.record import Gap, GapReason
from fhir_adapter.rest.client import FhirClient
from tests.fhir_adapter.builders import (
    ASKED_AT,
    PATIENT_ID,
    SERVER,
    FakeFhir,
    Json,
    answer,
    bundle,
    client_of,
    document,
    observation,
    outcome,
    patient,
    soon,
    study,
)

CHART = {
    f"Patient/{PATIENT_ID}": patient(),
    "Observation": bundle(observation()),
    "DocumentReference": bundle(document()),
    "DiagnosticReport": bundle(),
    "ImagingStudy": bundle(study(endpoint=[])),
    "Media": bundle(),
}


class BatchServer(FakeFhir):
    """A server that answers a batch as it answers its parts; `refusal` is what it says to the batch as a whole."""

    def __init__(self, refusal: httpx.Response | None = None, **changes: object) -> None:
        super().__init__({**CHART, **changes})
        self.refusal = refusal
        self.batches = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        if request.method != "POST":
            return super().__call__(request)
        self.batches += 1
        if self.refusal is not None:
            return self.refusal
        asked = [entry["request"]["url"] for entry in orjson.loads(request.content)["entry"]]
        return answer({"resourceType": "Bundle", "type": "batch-response", "entry": [self._part(url) for url in asked]})

    def _part(self, url: str) -> Json:
        found = super().__call__(httpx.Request("GET", f"{SERVER}/{url}"))
        self.requests.pop()
        content = orjson.loads(found.content)
        status = {"response": {"status": f"{found.status_code} said"}}
        return status | ({"resource": content} if found.status_code == 200 else {})


async def collect(server: BatchServer, prefetch: Json | None = None, *, batch: bool = True) -> Chart:
    return await collect_chart(prefetch, client_of(server, batch=batch), PATIENT_ID, soon(), asked_at=ASKED_AT)


async def test_batch_brings_the_same_chart() -> None:
    """One round trip gives what many gave."""
    at_once, one_by_one = BatchServer(), BatchServer()

    assert await collect(at_once) == await collect(one_by_one, batch=False)
    assert (at_once.batches, at_once.requests, one_by_one.batches) == (1, [], 0)


async def test_batch_asks_only_for_what_is_missing() -> None:
    """What was prefetched is in no batch; a single question needs none."""
    server = BatchServer()
    given = {
        "patient": patient(),
        "vitals": bundle(),
        "labs": bundle(),
        "reports": bundle(),
        "imaging": bundle(study()),
    }

    await collect(server, given)

    assert (server.batches, server.asked) == (0, ["DocumentReference", "Endpoint"])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 415, 501])
async def test_server_without_batches_is_asked_one_by_one(status: int) -> None:
    """A server that takes no batch, or none from us, is asked as if none had been tried."""
    server = BatchServer(answer(outcome(), status))

    assert (await collect(server)).gaps == ()
    assert len(server.requests) == 7


async def test_failed_part_of_a_batch_is_its_gap() -> None:
    """One part that fails is one gap, and the others are there."""
    chart = await collect(BatchServer(DocumentReference=answer(outcome(), 500)))

    assert chart.gaps == (Gap("text", "clinical notes", GapReason.FAILED),)
    assert len(chart.observations) == 1


async def test_somebody_else_in_a_batch_is_discarded() -> None:
    """Answers of a batch are checked as any other: whose they are decides."""
    foreign = bundle(document(subject={"reference": "Patient/other"}))
    chart = await collect(BatchServer(DocumentReference=foreign))

    assert (chart.documents, [gap.reason for gap in chart.gaps]) == ((), [GapReason.FAILED])


@pytest.mark.parametrize("status", [500, 503])
async def test_batch_that_fails_whole_leaves_no_chart(status: int) -> None:
    """A server that fails is not asked the same again in seven pieces."""
    server = BatchServer(answer(outcome(), status))

    with pytest.raises(ChartUnavailable):
        await collect(server)
    assert server.requests == []


def listing(*types: str) -> Json:
    """A CapabilityStatement of a server that has these types."""
    resources = [{"type": each, "interaction": [{"code": "read"}, {"code": "search-type"}]} for each in types]
    rest = {"mode": "server", "resource": resources}
    return {"resourceType": "CapabilityStatement", "fhirVersion": "5.0.0", "rest": [rest]}


async def informed(server: BatchServer, *types: str) -> FhirClient:
    """A client that has asked the server what it offers."""
    server.answers["metadata"] = listing(*types)
    client = client_of(server)
    await client.capabilities(soon())
    server.requests.clear()
    return client


async def test_type_that_is_not_offered_is_not_asked_for() -> None:
    """What a server does not list is not asked for: an R5 server has no Media."""
    server = BatchServer()
    client = await informed(server, "Patient", "Observation", "DocumentReference", "ImagingStudy")
    chart = await collect_chart(None, client, PATIENT_ID, soon(), asked_at=ASKED_AT)

    assert not {"Media", "DiagnosticReport"} & set(server.asked)
    assert chart.gaps == ()


async def test_server_without_what_is_needed_is_told() -> None:
    """That a server has no imaging studies is a gap of its own, which no retry mends."""
    client = await informed(BatchServer(), "Patient", "Observation", "DocumentReference")
    chart = await collect_chart(None, client, PATIENT_ID, soon(), asked_at=ASKED_AT)

    assert chart.gaps == (Gap("image", "radiograph", GapReason.MISSING, "the FHIR server does not offer it"),)


async def test_server_that_lists_nothing_is_asked() -> None:
    """An empty list of types is no statement about them."""
    chart = await collect_chart(None, await informed(BatchServer()), PATIENT_ID, soon(), asked_at=ASKED_AT)

    assert chart.gaps == ()
