"""What the adapter's own client does with each of the two servers."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import httpx
import pytest

from fhir_adapter.build import build_record
from fhir_adapter.collect import collect_chart
from fhir_adapter.errors import (
    ChartUnavailable,
    FhirError,
    FhirGone,
    FhirMalformed,
    FhirRefused,
    FhirRejected,
    ServerNotAllowed,
)
from fhir_adapter.record import GapReason
from fhir_adapter.rest.bundles import Page
from fhir_adapter.rest.capabilities import FhirVersion
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.paging import SearchResult
from fhir_adapter.rest.requests import Request
from tests.fhir_adapter.builders import soon
from tests.fhir_server.charts import NOTE
from tests.fhir_server.proxies import client_through, with_header, with_url
from tests.fhir_server.server import FhirServer, links

IN_JANUARY = datetime(2026, 1, 20, 12, tzinfo=UTC)
IN_FEBRUARY = datetime(2026, 2, 20, 12, tzinfo=UTC)
"""Moments of a hook call: the adapter asks for results of the last days and documents of the last weeks only."""


async def test_links_are_followed_as_they_stand(server: FhirServer) -> None:
    """Every further page is asked for at exactly the address that the page before named."""
    async with client_through(server) as (client, between):
        params = {"patient": server.chart.patient, "_count": "7"}
        found = await client.search("Observation", params, soon())
    named = [links(answer.json()).get("next") for answer in between.answers]

    assert (len(found.resources), found.complete) == (30, True)
    assert [str(request.url) for request in between.requests[1:]] == named[:-1]


async def test_every_request_asks_for_fresh_fhir_json(server: FhirServer) -> None:
    """`no-cache`, never `no-store`, and FHIR JSON, on the first page and on the others."""
    async with client_through(server) as (client, between):
        await client.search("Observation", {"patient": server.chart.patient, "_count": "20"}, soon())
        await client.read("Patient", server.chart.patient, soon())
    headers = {(each.headers["cache-control"], each.headers["accept"]) for each in between.requests}

    assert len(between.requests) == 3
    assert headers == {("no-cache", "application/fhir+json")}


@pytest.mark.parametrize("value", ["", " ", "/", "Patient/"])
async def test_empty_parameter_is_never_sent(server: FhirServer, value: str) -> None:
    """It would show everybody's results: an error before anything is asked."""
    async with client_through(server) as (client, between):
        with pytest.raises(ValueError, match="every patient"):
            await client.search("Observation", {"patient": value}, soon())

    assert between.requests == []


async def test_expired_search_is_made_once_more(server: FhirServer) -> None:
    """410 between two pages: the search is restarted, and is whole."""
    made_up = iter([uuid.uuid4()])

    def expire(url: str) -> str:
        name = httpx.URL(url).params.get("_getpages")
        return url.replace(name, str(expired)) if name and (expired := next(made_up, None)) else url

    async with client_through(server, with_url(expire)) as (client, between):
        found = await client.search("Observation", {"patient": server.chart.patient, "_count": "20"}, soon())

    assert [answer.status_code for answer in between.answers] == [200, 410, 200, 200]
    assert (len(found.resources), found.complete) == (30, True)


async def test_search_that_expires_again_is_incomplete(server: FhirServer) -> None:
    """A server that forgets every search gives its first page, and that is said."""

    def expire(url: str) -> str:
        name = httpx.URL(url).params.get("_getpages")
        return url.replace(name, str(uuid.uuid4())) if name else url

    async with client_through(server, with_url(expire)) as (client, _):
        found = await client.search("Observation", {"patient": server.chart.patient, "_count": "20"}, soon())

    assert (len(found.resources), found.complete) == (20, False)


@pytest.mark.parametrize(("reroot", "found"), [(False, (20, False)), (True, (30, True))])
async def test_links_to_another_host_are_not_followed(
    server: FhirServer, found: tuple[int, bool], *, reroot: bool
) -> None:
    """A proxy spoils the host in links: the search is incomplete, unless the operator lets links be re-rooted."""
    if server.base.startswith("https:"):
        pytest.skip("a proxy in front of this server goes by the Host header itself")
    host = with_header("Host", "ehr.example.org:81")
    async with client_through(server, host, reroot_links=reroot) as (client, between):
        result = await client.search("Observation", {"patient": server.chart.patient, "_count": "20"}, soon())

    assert (len(result.resources), result.complete) == found
    assert {request.url.netloc for request in between.requests} == {httpx.URL(server.base).netloc}


async def test_page_beyond_the_end_ends_the_search(server: FhirServer, client: FhirClient) -> None:
    """An empty page without a link is the end, not a failure."""
    first = server.search(f"Observation?{server.of_patient}&_count=20")
    url = links(first)["next"].replace("offset=20", "offset=100")
    found = await client.follow("Observation", Page((), (), url, empty=False), soon())

    assert (found.resources, found.complete) == ((), True)


async def test_included_resources_are_no_matches(server: FhirServer, client: FhirClient) -> None:
    """Endpoints that come along, on each page again, are kept apart."""
    params = {"patient": server.chart.patient, "_include": "ImagingStudy:endpoint", "_count": "2"}
    found = await client.search("ImagingStudy", params, soon())

    assert ({each["resourceType"] for each in found.resources}, len(found.resources)) == ({"ImagingStudy"}, 3)
    assert {each["resourceType"] for each in found.included} == {"Endpoint"}


async def test_search_by_post_keeps_ids_out_of_addresses(server: FhirServer) -> None:
    """With FHIR_SEARCH_BY=post no address names the patient, and the answer is the same."""
    async with client_through(server, search_by="post") as (client, between):
        found = await client.search("Observation", {"patient": server.chart.patient, "_count": "20"}, soon())

    assert (len(found.resources), found.complete) == (30, True)
    assert not any(server.chart.patient in str(request.url) for request in between.requests)
    assert between.requests[0].headers["content-type"] == "application/x-www-form-urlencoded"


async def test_whole_chart_is_collected(server: FhirServer) -> None:
    """All results of three days, over several pages, and none of another's, without a gap."""
    async with client_through(server, page_size=5) as (client, _):
        chart = await collect_chart(None, client, server.chart.patient, soon(), asked_at=IN_JANUARY)

    assert len(chart.observations) == 14
    assert {each["subject"]["reference"] for each in chart.observations} == {f"Patient/{server.chart.patient}"}
    assert (len(chart.studies), len(chart.endpoints), chart.gaps) == (3, 1, ())


async def test_record_is_built_from_the_server(server: FhirServer, client: FhirClient) -> None:
    """The text of the Binary is read; the film, without an archive, is a gap."""
    chart = await collect_chart(None, client, server.chart.patient, soon(), asked_at=IN_FEBRUARY)
    record = await build_record(chart, client, None, IN_FEBRUARY, soon())

    assert "Cough since Monday." in record.notes[0].text
    assert {gap.modality for gap in record.gaps} >= {"image"}


async def test_lost_filter_is_noticed(server: FhirServer) -> None:
    """A search that comes back with somebody else's results gives none of them: a gap, never a mixed chart."""
    strangers = f"{server.chart.patient},{server.chart.stranger}"

    def lose_filter(url: str) -> str:
        return url.replace(f"patient={server.chart.patient}", f"patient={strangers}")

    async with client_through(server, with_url(lose_filter)) as (client, _):
        chart = await collect_chart(None, client, server.chart.patient, soon(), asked_at=IN_JANUARY)

    assert chart.observations == ()
    assert any(gap.reason is GapReason.FAILED for gap in chart.gaps)


async def test_page_cap_leaves_the_search_incomplete(server: FhirServer) -> None:
    """Two pages at most: what was read, and that there was more."""
    async with client_through(server, max_pages=2) as (client, _):
        found = await client.search("Observation", {"patient": server.chart.patient, "_count": "5"}, soon())

    assert (len(found.resources), found.complete) == (10, False)


async def test_small_pages_of_the_server_are_enough(strict: FhirServer) -> None:
    """A server that cuts `_count` is read to the end, token included."""
    async with client_through(strict) as (client, between):
        found = await client.search("Observation", {"patient": strict.chart.patient, "_count": "200"}, soon())

    assert (len(found.resources), found.complete, len(between.requests)) == (30, True, 6)
    assert {request.headers["authorization"] for request in between.requests} == {f"Bearer {strict.token}"}


async def test_wrong_token_means_no_chart(strict: FhirServer) -> None:
    """A refusal of the server becomes the reason why there is no chart."""
    async with client_through(strict, token="wrong") as (client, _):
        with pytest.raises(FhirRefused):
            await client.search("Observation", {"patient": strict.chart.patient}, soon())
        with pytest.raises(ChartUnavailable) as caught:
            await collect_chart(None, client, strict.chart.patient, soon())

    assert caught.value.reason is GapReason.REFUSED


async def test_large_binary_is_read_whole(strict: FhirServer) -> None:
    """Whether the server keeps the bytes in the resource or apart makes no difference."""
    async with client_through(strict) as (client, _):
        body, kind = await client.fetch_binary(f"Binary/{strict.chart.id('binary')}", soon())

    assert (body, kind) == (NOTE, "text/plain")


@pytest.mark.parametrize("form", ["Binary/{1}", "{0}/Binary/{1}"])
async def test_attachment_is_found_beneath_the_base(server: FhirServer, client: FhirClient, form: str) -> None:
    """A relative address and an absolute one on the same server lead to the same bytes."""
    url = form.format(server.base, server.chart.id("binary"))
    assert await client.fetch_binary(url, soon()) == (NOTE, "text/plain")


async def test_raw_answer_of_a_binary_is_taken_too(server: FhirServer) -> None:
    """A server that sends the bytes themselves is understood."""
    async with client_through(server, with_header("Accept", "*/*")) as (client, _):
        body, kind = await client.fetch_binary(f"Binary/{server.chart.id('binary')}", soon())

    assert (body, kind.partition(";")[0]) == (NOTE, "text/plain")


async def test_foreign_attachment_is_not_asked_for(server: FhirServer) -> None:
    """An address elsewhere is refused before the token could leave."""
    async with client_through(server) as (client, between):
        with pytest.raises(ServerNotAllowed):
            await client.fetch_binary("https://files.example.org/x.pdf", soon())

    assert between.requests == []


async def test_unchanged_resource_is_not_sent_again(server: FhirServer) -> None:
    """A second read sends the version that is known, gets 304, and gives the same."""
    async with client_through(server) as (client, between):
        reads = [await client.read("Patient", server.chart.patient, soon()) for _ in range(2)]

    assert [answer.status_code for answer in between.answers] == [200, 304]
    assert reads[0] == reads[1]


async def test_cut_resource_is_not_kept(server: FhirServer) -> None:
    """What is marked SUBSETTED is read again in full: it is never taken for the whole."""
    async with client_through(server, with_url(lambda url: f"{url}?_elements=gender")) as (client, between):
        for _ in range(2):
            await client.read("Patient", server.chart.patient, soon())

    assert [answer.status_code for answer in between.answers] == [200, 200]


async def test_missing_and_deleted_are_both_gone(server: FhirServer, client: FhirClient) -> None:
    """404 and 410 mean the same to a caller: it is not there."""
    deleted = f"gone-{uuid.uuid4().hex}"
    server.put({"resourceType": "Patient", "id": deleted})
    server.request("DELETE", f"Patient/{deleted}")

    for name in (deleted, "nobody-of-this-name"):
        with pytest.raises(FhirGone):
            await client.read("Patient", name, soon())


@pytest.mark.parametrize("params", [{"_sort": "-date"}, {"nosuch": "1"}, {"sort:desc": "date"}])
async def test_misunderstood_search_is_rejected(server: FhirServer, client: FhirClient, params: dict[str, str]) -> None:
    """What the server does not know is an error, and no result."""
    with pytest.raises(FhirRejected):
        await client.search("ImagingStudy", {"patient": server.chart.patient, **params}, soon())


async def test_numeric_id_is_read(server: FhirServer, client: FhirClient) -> None:
    """An id of digits is an id."""
    digits = str(uuid.uuid4().int)[:18]
    server.put({"resourceType": "Patient", "id": digits})

    assert (await client.read("Patient", digits, soon()))["id"] == digits


async def test_missing_patient_has_no_chart(client: FhirClient) -> None:
    """An empty search is no chart: the Patient itself must be there."""
    found = await client.search("Observation", {"patient": "nobody-of-this-name"}, soon())
    with pytest.raises(ChartUnavailable) as caught:
        await collect_chart(None, client, "nobody-of-this-name", soon())

    assert (found.resources, found.complete) == ((), True)
    assert caught.value.reason is GapReason.MISSING


async def test_batch_is_read_entry_by_entry(server: FhirServer, client: FhirClient) -> None:
    """A read, a search with its further pages, and what is not there: each in its place."""
    chart = server.chart
    asked = [
        Request.read_of("Patient", chart.patient),
        Request.search_of("Observation", {"patient": chart.patient, "_count": "20"}),
        Request.read_of("Patient", "nobody-of-this-name"),
    ]
    patient, found, missing = await client.batch(asked, soon())

    assert isinstance(patient, dict)
    assert patient["id"] == chart.patient
    assert isinstance(found, SearchResult)
    assert (len(found.resources), found.complete) == (30, True)
    assert isinstance(missing, FhirGone)


async def test_server_says_what_it_can_do(server: FhirServer, client: FhirClient) -> None:
    """R4, and every search parameter that the adapter uses is announced."""
    known = await client.capabilities(soon())

    assert known.version is FhirVersion.R4
    assert all(known.knows(kind, "patient") for kind in ("Observation", "DocumentReference", "ImagingStudy"))
    assert {"batch", "transaction"} <= known.interactions | {"batch"}
    assert server.name != "embedded" or "ImagingStudy:endpoint" in known.types["ImagingStudy"].includes


async def test_incremental_search_brings_what_changed(server: FhirServer, client: FhirClient) -> None:
    """`_lastUpdated` is how new results are polled for."""
    params = {"patient": server.chart.patient, "_count": "50"}
    changed = await client.search("Observation", {**params, "_lastUpdated": "ge2026-01-01"}, soon())
    later = await client.search("Observation", {**params, "_lastUpdated": "ge2126-01-01"}, soon())

    assert (len(changed.resources), len(later.resources)) == (30, 0)


@pytest.mark.hapi
async def test_html_with_status_200_is_no_resource(hapi: FhirServer) -> None:
    """A page for people, as HAPI sends it to browsers and proxies send it to all, is malformed; so is an HTML 404."""
    browser = with_header("Accept", "text/html,application/xhtml+xml")
    async with client_through(hapi, browser) as (client, between):
        with pytest.raises(FhirMalformed):
            await client.read("Patient", hapi.chart.patient, soon())
        with pytest.raises(FhirError):
            await client.search("Observation", {"patient": hapi.chart.patient}, soon())

    assert {answer.headers["content-type"].partition(";")[0] for answer in between.answers} == {"text/html"}
