"""The real HAPI FHIR JPA server; skipped where Java or the server is not there. Starting it takes some 15 s."""

import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from pydantic import SecretStr

from fhir_adapter.build import build_record
from fhir_adapter.collect import collect_chart
from fhir_adapter.errors import ChartUnavailable, FhirGone, FhirRejected
from fhir_adapter.record import GapReason
from fhir_adapter.rest.capabilities import FhirVersion
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.paging import SearchResult
from fhir_adapter.rest.requests import Request
from fhir_adapter.rest.transport import open_http
from fhir_adapter.settings import FhirSettings
from tests.fhir_adapter.builders import (
    ASKED_AT,
    DATA,
    PATIENT_ID,
    Json,
    document,
    endpoint,
    observation,
    patient,
    quantity,
    soon,
    study,
)

JAR = DATA.parent / "hapi" / "hapi.jar"
OPTIONS = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
pytestmark = [
    pytest.mark.hapi,
    pytest.mark.skipif(
        shutil.which("java") is None or not JAR.exists(),
        reason="needs Java 17 and ../shared/hapi/hapi.jar, which is not part of the repository",
    ),
]


def seeds() -> list[Json]:
    """A child with 27 results, a note in a Binary and a study; and a second child with one result."""
    text = {"resourceType": "Binary", "id": "n1", "contentType": "text/plain", "data": "Q291Z2g="}
    results = [observation(id=f"crp-{n}", category=category("laboratory")) for n in range(26)]
    pulse = observation("8867-4", id="hr-1", category=category("vital-signs"), valueQuantity=quantity(150, "/min"))
    other = observation(id="other-crp", category=category("laboratory"), subject={"reference": "Patient/other"})
    note = document({"contentType": "text/plain", "url": "Binary/n1"})
    return [patient(), patient(id="other"), *results, pulse, other, text, note, endpoint(**PAYLOAD), study()]


PAYLOAD = {"payloadType": [{"text": "DICOM"}]}


def category(code: str) -> list[Json]:
    return [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": code}]}]


@pytest.fixture(scope="module")
def hapi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with small pages and a token, seeded by one transaction; its base address."""
    log = tmp_path_factory.mktemp("hapi") / "log"
    command = ["java", *OPTIONS, "-jar", str(JAR), "--port", "0", "--stop-with-stdin"]
    command += ["--page-size", "5", "--max-page-size", "5", "--require-token", "abc"]
    with log.open("wb") as errors:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True)
        try:
            assert process.stdout is not None
            ready = process.stdout.readline().split()
            assert ready, log.read_text()
            load(ready[1])
            yield ready[1]
        finally:
            process.terminate()
            process.communicate(timeout=30)


def load(base: str) -> None:
    entries = [
        {"resource": each, "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"}}
        for each in seeds()
    ]
    transaction = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    headers = {"Authorization": "Bearer abc", "Content-Type": "application/fhir+json"}
    httpx.post(base, json=transaction, headers=headers, timeout=60).raise_for_status()


@pytest.fixture
async def client(hapi: str) -> AsyncIterator[FhirClient]:
    settings = FhirSettings(allowed_servers=(hapi,))
    async with open_http(settings) as http:
        yield FhirClient(http, hapi, SecretStr("abc"), settings)


async def test_chart_is_collected_over_many_pages(client: FhirClient) -> None:
    """All results of one child are found over six pages, and none of another's."""
    chart = await collect_chart(None, client, PATIENT_ID, soon(), asked_at=ASKED_AT)

    assert len(chart.observations) == 27
    assert {each["subject"]["reference"] for each in chart.observations} == {f"Patient/{PATIENT_ID}"}
    assert (len(chart.documents), len(chart.studies), len(chart.endpoints), chart.gaps) == (1, 1, 1, ())


async def test_record_is_built_from_the_server(client: FhirClient) -> None:
    """Results and the text of the Binary are read; the film, without an archive, is a gap."""
    chart = await collect_chart(None, client, PATIENT_ID, soon(), asked_at=ASKED_AT)

    record = await build_record(chart, client, None, ASKED_AT, soon())

    assert (len(record.measurements), [note.text for note in record.notes]) == (27, ["Cough"])
    assert [(gap.modality, gap.reason) for gap in record.gaps] == [("image", GapReason.NO_ACCESS)]


async def test_page_cap_leaves_the_chart_incomplete(hapi: str) -> None:
    """A cap of two pages gives ten results and says that there were more."""
    settings = FhirSettings(allowed_servers=(hapi,), max_pages=2)
    async with open_http(settings) as http:
        capped = FhirClient(http, hapi, SecretStr("abc"), settings)
        found = await capped.search("Observation", {"patient": PATIENT_ID}, soon())

    assert (len(found.resources), found.complete) == (10, False)


async def test_wrong_token_means_no_chart(hapi: str) -> None:
    """A refusal of the server becomes the reason why there is no chart."""
    settings = FhirSettings(allowed_servers=(hapi,))
    async with open_http(settings) as http:
        stranger = FhirClient(http, hapi, SecretStr("wrong"), settings)
        with pytest.raises(ChartUnavailable) as caught:
            await collect_chart(None, stranger, PATIENT_ID, soon())

    assert caught.value.reason is GapReason.REFUSED


async def test_unknown_patient_and_parameter_are_told_apart(client: FhirClient) -> None:
    """What is not there is gone; what the server does not understand is rejected."""
    with pytest.raises(FhirGone):
        await client.read("Patient", "nobody", soon())
    with pytest.raises(FhirRejected):
        await client.search("ImagingStudy", {"patient": PATIENT_ID, "_sort": "-date"}, soon())


async def test_search_by_post_finds_the_same(hapi: str, client: FhirClient) -> None:
    """A search by POST, whose pages are read by GET, finds what a search by GET finds."""
    settings = FhirSettings(allowed_servers=(hapi,), search_by="post")
    async with open_http(settings) as http:
        posting = FhirClient(http, hapi, SecretStr("abc"), settings)
        found = await posting.search("Observation", {"patient": PATIENT_ID}, soon())

    wanted = await client.search("Observation", {"patient": PATIENT_ID}, soon())
    assert {each["id"] for each in found.resources} == {each["id"] for each in wanted.resources}
    assert (len(found.resources), found.complete) == (27, True)


async def test_batch_answers_in_order(client: FhirClient) -> None:
    """One round trip reads, searches over its pages, and says what is not there."""
    reads = Request.read_of("Patient", PATIENT_ID), Request.read_of("Patient", "nobody")
    search = Request.search_of("Observation", {"patient": PATIENT_ID})
    found, missing, results = await client.batch([*reads, search], soon())

    assert isinstance(found, dict)
    assert found["id"] == PATIENT_ID
    assert isinstance(missing, FhirGone)
    assert isinstance(results, SearchResult)
    assert (len(results.resources), results.complete) == (27, True)


async def test_unchanged_patient_is_not_sent_again(hapi: str) -> None:
    """HAPI answers a read with a known ETag by 304, and the kept resource is used."""
    settings = FhirSettings(allowed_servers=(hapi,))
    statuses: list[int] = []

    async def note(response: httpx.Response) -> None:
        statuses.append(response.status_code)

    async with open_http(settings) as http:
        http.event_hooks = {"response": [note]}
        client = FhirClient(http, hapi, SecretStr("abc"), settings)
        found = [await client.read("Patient", PATIENT_ID, soon()) for _ in range(2)]

    assert found[0] == found[1]
    assert statuses == [200, 304]


async def test_capabilities_are_read(client: FhirClient) -> None:
    """HAPI's CapabilityStatement says that it speaks R4 and knows what we search by."""
    found = await client.capabilities(soon())

    # It lists `transaction` only, and takes batches all the same.
    assert (found.version, "transaction" in found.interactions) == (FhirVersion.R4, True)
    assert all(found.knows("Observation", name) for name in ("patient", "category", "date"))


async def test_search_that_has_enough_reads_one_page(client: FhirClient) -> None:
    """Who has enough after the first page of five reads no other."""
    found = await client.search("Observation", {"patient": PATIENT_ID}, soon(), enough=lambda read: len(read) >= 5)

    assert (len(found.resources), found.complete, found.enough) == (5, False, True)
