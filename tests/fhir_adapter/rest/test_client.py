import base64
import contextlib
import zlib
from typing import Any

import httpx
import orjson
import pytest
from pydantic import SecretStr

from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import (
    FhirError,
    FhirGone,
    FhirMalformed,
    FhirRefused,
    FhirRejected,
    FhirTimeout,
    FhirUnavailable,
    ForeignPatient,
    ServerNotAllowed,
)
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.transport import open_http
from tests.fhir_adapter.builders import (
    SERVER,
    FakeFhir,
    Json,
    answer,
    bundle,
    client_of,
    endpoint,
    never,
    observation,
    outcome,
    patient,
    settings,
    soon,
    study,
)


def streamed(body: bytes, headers: dict[str, str]) -> httpx.Response:
    """An answer whose body is decompressed while it is read, as from a real connection."""
    return httpx.Response(200, stream=httpx.ByteStream(body), headers=headers)


PAGE_2 = f"{SERVER}?_getpages=abc&_getpagesoffset=1"


async def test_read_asks_for_fresh_fhir_json_with_the_token() -> None:
    """A read carries the token, asks for FHIR JSON and for no cached answer."""
    server = FakeFhir({"Patient/child-1": patient()})

    found = await client_of(server).read("Patient", "child-1", soon())

    sent = server.requests[0].headers
    assert found == patient()
    assert (sent["accept"], sent["cache-control"], sent["authorization"]) == (
        "application/fhir+json",
        "no-cache",
        "Bearer abc",
    )


@pytest.mark.parametrize("resource_id", ["", " ", "..", ".", "a/b", "a?b", "x" * 65, "Patient/1", "ä"])
async def test_id_that_would_change_the_address_is_refused(resource_id: str) -> None:
    """An id is put into an address only when FHIR allows it as one."""
    server = FakeFhir({})

    with pytest.raises(ValueError, match="not a FHIR id"):
        await client_of(server).read("Patient", resource_id, soon())
    assert server.requests == []


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, FhirRefused),
        (403, FhirRefused),
        (404, FhirGone),
        (410, FhirGone),
        (400, FhirRejected),
        (422, FhirRejected),
        (304, FhirRejected),
        (429, FhirUnavailable),
        (500, FhirUnavailable),
        (503, FhirUnavailable),
    ],
)
async def test_status_decides_the_error(status: int, error: type[FhirError]) -> None:
    """Each status maps to what a caller can do about it, and the message holds no id."""
    server = FakeFhir({"Patient/child-1": answer(outcome(), status)})

    with pytest.raises(error) as caught:
        await client_of(server).read("Patient", "child-1", soon())
    assert "child-1" not in str(caught.value)


@pytest.mark.parametrize(
    "response",
    [
        answer(b"<html>sign in</html>", content_type="text/html"),
        answer(patient(), content_type="text/plain"),
        answer(b"{", content_type="application/fhir+json"),
        answer([1]),
        answer(observation()),
        answer(b"", content_type=""),
        streamed(b"no gzip", {"content-encoding": "gzip", "content-type": "application/json"}),
    ],
    ids=["proxy page", "JSON called text", "cut JSON", "no object", "another type", "nothing", "broken gzip"],
)
async def test_answer_that_is_not_the_resource_is_malformed(response: httpx.Response) -> None:
    """Status 200 alone does not make an answer a Patient."""
    with pytest.raises(FhirMalformed):
        await client_of(lambda _: response).read("Patient", "child-1", soon())


async def test_answer_that_unpacks_beyond_the_limit_is_cut_off() -> None:
    """The size is counted after decompression, so a small bomb stays small."""
    packed = zlib.compress(b" " * 2_000_000)
    headers = {"content-encoding": "deflate", "content-type": "application/json"}
    client = client_of(lambda _: streamed(packed, headers), max_bytes=1000)

    with pytest.raises(FhirMalformed, match="FHIR_MAX_BYTES"):
        await client.read("Patient", "child-1", soon())


async def test_silent_server_costs_no_more_than_the_deadline() -> None:
    """When the deadline passes while a server is silent, the read ends."""
    http = httpx.AsyncClient(transport=httpx.MockTransport(never))
    client = FhirClient(http, SERVER, None, settings())

    with pytest.raises(FhirTimeout):
        await client.read("Patient", "child-1", Deadline.after(0.01))


async def test_nothing_is_asked_after_the_deadline() -> None:
    """A request that cannot be answered in time is not sent."""
    server = FakeFhir({"Patient/child-1": patient()})

    with pytest.raises(FhirTimeout):
        await client_of(server).read("Patient", "child-1", Deadline.after(0))
    assert server.requests == []


async def test_error_of_the_network_keeps_the_address_to_itself() -> None:
    """A traceback shows our error only: the library's holds the address, and the address an id."""

    def unreachable(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route", request=request)

    with pytest.raises(FhirUnavailable) as caught:
        await client_of(unreachable).read("Patient", "child-1", soon())
    assert caught.value.__suppress_context__


async def test_redirect_within_the_server_is_followed() -> None:
    """A server may move a resource within its own base."""
    moved = httpx.Response(307, headers={"location": "/fhir/Patient/new"})
    server = FakeFhir({"Patient/old": moved, "Patient/new": patient()})

    assert await client_of(server).read("Patient", "old", soon()) == patient()


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example.org/fhir/Patient/1",
        "http://ehr.example.org/fhir/Patient/1",
        "//evil.example.org/",
        "/admin",
    ],
)
async def test_token_does_not_follow_a_redirect_elsewhere(location: str) -> None:
    """A redirect that leaves the server is refused before anything is sent there."""
    server = FakeFhir({"Patient/child-1": httpx.Response(302, headers={"location": location})})

    with pytest.raises(ServerNotAllowed):
        await client_of(server).read("Patient", "child-1", soon())
    assert len(server.requests) == 1


async def test_endless_redirect_ends() -> None:
    """A server that redirects for ever is told no after a few hops."""
    server = FakeFhir({"Patient/child-1": httpx.Response(302, headers={"location": "/fhir/Patient/child-1"})})

    with pytest.raises(FhirRejected):
        await client_of(server).read("Patient", "child-1", soon())
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    "params", [{}, {"patient": ""}, {"patient": " "}, {"patient": "Patient/"}, {"a": "1", "patient": ""}]
)
async def test_search_without_a_value_is_never_sent(params: dict[str, str]) -> None:
    """HAPI ignores an empty parameter and answers with everybody's data, so none is sent."""
    server = FakeFhir({"Observation": bundle(observation())})

    with pytest.raises(ValueError, match="every patient"):
        await client_of(server).search("Observation", params, soon())
    assert server.requests == []


async def test_search_follows_the_link_as_it_stands() -> None:
    """The next page is fetched from the very address the server gave, with the token."""
    server = FakeFhir(
        {
            "Observation": bundle(observation(id="a"), next_url=PAGE_2),
            PAGE_2.removeprefix(SERVER): bundle(observation(id="b")),
        }
    )

    found = await client_of(server).search("Observation", {"patient": "child-1"}, soon())

    assert [resource["id"] for resource in found.resources] == ["a", "b"]
    assert found.complete
    assert str(server.requests[1].url) == PAGE_2


@pytest.mark.parametrize(
    "next_url",
    [
        "https://evil.example.org/fhir?_getpages=1",
        "https://ehr.example.org:443:443/fhir?_getpages=1",
        "http://ehr.example.org/fhir?_getpages=1",
        "https://ehr.example.org/other?_getpages=1",
        "?_getpages=1",
        "Observation?page=2",
    ],
)
async def test_link_that_leaves_the_server_ends_the_search_incomplete(next_url: str) -> None:
    """The token goes nowhere else: a link to another place means that there was more."""
    server = FakeFhir({"Observation": bundle(observation(), next_url=next_url)})

    found = await client_of(server).search("Observation", {"patient": "child-1"}, soon())

    assert (len(found.resources), found.complete) == (1, False)
    assert len(server.requests) == 1


async def test_link_to_itself_ends_the_search() -> None:
    """A page that links to a page already read does not loop."""
    page = bundle(observation(), next_url=PAGE_2)
    server = FakeFhir({"Observation": page, PAGE_2.removeprefix(SERVER): page})

    found = await client_of(server).search("Observation", {"patient": "child-1"}, soon())

    assert not found.complete
    assert len(server.requests) == 2


async def test_empty_page_ends_the_search() -> None:
    """A page without entries is the last one read, wherever it links to."""
    server = FakeFhir({"Observation": bundle(next_url=PAGE_2)})

    found = await client_of(server).search("Observation", {"patient": "child-1"}, soon())

    assert (found.resources, found.complete, len(server.requests)) == ((), False, 1)


async def test_page_cap_ends_the_search() -> None:
    """A search that never ends is cut at the cap and called incomplete."""

    def endless(request: httpx.Request) -> httpx.Response:
        offset = int(request.url.params.get("offset", "0")) + 1
        return answer(bundle(observation(id=str(offset)), next_url=f"{SERVER}?offset={offset}"))

    found = await client_of(endless, max_pages=3).search("Observation", {"patient": "child-1"}, soon())

    assert (len(found.resources), found.complete) == (3, False)


@pytest.mark.parametrize("second", [answer(outcome(), 410), answer(outcome(), 500), answer(patient())])
async def test_failing_page_keeps_what_came_before(second: httpx.Response) -> None:
    """When a later page fails, the earlier ones are kept and the result is incomplete."""
    server = FakeFhir({"Observation": bundle(observation(), next_url=PAGE_2), PAGE_2.removeprefix(SERVER): second})

    found = await client_of(server).search("Observation", {"patient": "child-1"}, soon())

    assert (len(found.resources), found.complete) == (1, False)


async def test_included_resources_and_outcomes_are_no_matches() -> None:
    """Only what matched is a result; what was included with it is kept apart."""
    page = bundle(study())
    page["entry"] += bundle(study(id="related"), mode="include")["entry"]
    page["entry"] += bundle(endpoint(), mode="include")["entry"] + bundle(outcome(), mode="outcome")["entry"]

    found = await client_of(lambda _: answer(page)).search("ImagingStudy", {"patient": "child-1"}, soon())

    assert found.resources == (study(),)
    assert endpoint() in found.included


async def test_entries_without_a_mode_are_told_apart_by_type() -> None:
    """Where a server leaves search.mode out, the type searched for decides."""
    page = bundle(study(), endpoint())
    for entry in page["entry"]:
        del entry["search"]

    found = await client_of(lambda _: answer(page)).search("ImagingStudy", {"patient": "child-1"}, soon())

    assert (found.resources, found.included) == ((study(),), (endpoint(),))


@pytest.mark.parametrize("url", ["Binary/n1", f"{SERVER}/Binary/n1", "/fhir/Binary/n1"])
async def test_attachment_is_resolved_against_the_base(url: str) -> None:
    """An attachment's address may be relative to the base or absolute beneath it."""
    server = FakeFhir({"Binary/n1": answer(b"Cough", content_type="text/plain;charset=utf-8")})

    assert await client_of(server).fetch_binary(url, soon()) == (b"Cough", "text/plain;charset=utf-8")


@pytest.mark.parametrize(
    "headers",
    [
        {"etag": 'W/"é1"'.encode()},
        {"etag": b'W/"1"', "retry-after": b"Mon, 01 Jan 2024 00:00:00 +9999999999999999999999"},
        {"retry-after": b"Mon, 99999999999999999999 Jan 2024 00:00:00 GMT"},
    ],
)
@pytest.mark.parametrize("status", [200, 503])
async def test_headers_of_any_kind_are_read(headers: dict[str, bytes], status: int) -> None:
    """No header that a server may send ends in anything but an answer or one of our errors."""
    body, kind = orjson.dumps(patient()), (b"content-type", b"application/fhir+json")
    raw = [kind, *((name.encode(), value) for name, value in headers.items())]
    client = client_of(lambda _: httpx.Response(status, content=body, headers=raw))

    for _ in range(2):
        with contextlib.suppress(FhirUnavailable):
            assert await client.read("Patient", "child-1", soon()) == patient()


async def test_binary_that_is_kept_apart_is_fetched_by_binary_access() -> None:
    """HAPI may keep the data of a Binary outside the resource: then the operation that gives them is asked."""
    name = "http://hapifhir.io/fhir/StructureDefinition/externalized-binary-id"
    apart = {"extension": [{"url": name, "valueString": "x"}]}
    wrapped = {"resourceType": "Binary", "contentType": "text/plain", "_data": apart}
    kept = "Binary/n1/$binary-access-read?path=Binary"
    server = FakeFhir({kept: answer(b"Cough", content_type="text/plain"), "Binary/n1": wrapped})

    assert await client_of(server).fetch_binary("Binary/n1", soon()) == (b"Cough", "text/plain")


async def test_binary_as_resource_is_unwrapped() -> None:
    """A server may send a Binary as FHIR JSON or as the bytes; both give the bytes."""
    wrapped = {"resourceType": "Binary", "contentType": "text/plain", "data": base64.b64encode(b"Cough").decode()}
    server = FakeFhir({"Binary/n1": wrapped})

    assert await client_of(server).fetch_binary("Binary/n1", soon()) == (b"Cough", "text/plain")


def binary_of(reference: object, **changes: Any) -> Json:
    """A Binary as FHIR JSON whose rights are those to something."""
    data = base64.b64encode(b"Cough").decode()
    context = {"reference": reference}
    return {"resourceType": "Binary", "contentType": "text/plain", "data": data, "securityContext": context, **changes}


@pytest.mark.parametrize(
    "reference",
    ["Patient/child-2", f"{SERVER}/Patient/child-2/_history/1", "https://other.example.org/fhir/Patient/child-1"],
)
async def test_binary_of_another_patient_is_refused(reference: str) -> None:
    """Where a Binary says that the rights to it are those to somebody else, it is not read."""
    client = client_of(FakeFhir({"Binary/n1": binary_of(reference)}))

    with pytest.raises(ForeignPatient, match="Binary"):
        await client.fetch_binary("Binary/n1", soon(), patient_id="child-1")


@pytest.mark.parametrize(
    ("reference", "patient_id"),
    [
        (7, "child-1"),
        ("#p", "child-1"),
        ("DocumentReference/note-1", "child-1"),
        ("Patient/child-1", "child-1"),
        (f"{SERVER}/Patient/child-1/_history/1", "child-1"),
        ("Patient/child-2", ""),
    ],
)
async def test_binary_that_names_no_other_patient_is_read(reference: object, patient_id: str) -> None:
    """The patient asked about, a document, nothing that can be read, or nobody to compare with is no reason against."""
    client = client_of(FakeFhir({"Binary/n1": binary_of(reference)}))

    assert await client.fetch_binary("Binary/n1", soon(), patient_id=patient_id) == (b"Cough", "text/plain")


async def test_data_kept_apart_for_another_patient_are_not_asked_for() -> None:
    """It is looked at whose a Binary is before its data are fetched."""
    apart = {"extension": [{"url": "http://hapifhir.io/fhir/StructureDefinition/externalized-binary-id"}]}
    server = FakeFhir({"Binary/n1": binary_of("Patient/child-2", data=None, _data=apart)})

    with pytest.raises(ForeignPatient):
        await client_of(server).fetch_binary("Binary/n1", soon(), patient_id="child-1")
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://files.example.org/n1.txt",
        "//evil.example.org/n1",
        "https://u:p@ehr.example.org/fhir/Binary/n1",
        "../admin",
        "/Binary/n1",
        "file:///etc/passwd",
    ],
)
async def test_attachment_elsewhere_is_not_fetched(url: str) -> None:
    """Data may point anywhere; we go only to servers of the allow-list."""
    server = FakeFhir({})

    with pytest.raises(ServerNotAllowed):
        await client_of(server).fetch_binary(url, soon())
    assert server.requests == []


async def test_attachment_on_another_allowed_server_is_fetched_without_the_token() -> None:
    """A document store beside the FHIR server is asked where the operator lists it, and never shown the token."""
    asked: list[httpx.Request] = []

    def store(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return answer(b"Cough", content_type="text/plain")

    client = client_of(store, allowed_servers=(SERVER, "https://files.example.org/notes"))

    assert await client.fetch_binary("https://files.example.org/notes/n1", soon()) == (b"Cough", "text/plain")
    assert "authorization" not in asked[0].headers
    with pytest.raises(ServerNotAllowed):
        await client.fetch_binary("https://files.example.org/other/n1", soon())


async def test_redirect_of_another_allowed_server_stays_beneath_its_entry() -> None:
    """A store that is listed cannot lead us to one that is not."""
    away = httpx.Response(302, headers={"location": "https://evil.example.org/n1"})
    client = client_of(lambda _: away, allowed_servers=(SERVER, "https://files.example.org/notes"))

    with pytest.raises(ServerNotAllowed):
        await client.fetch_binary("https://files.example.org/notes/n1", soon())


@pytest.mark.parametrize("token", ["a b", "a\r\nX-Evil: 1", "ä", ""])
def test_token_that_would_break_the_header_is_refused(token: str) -> None:
    """A token comes with the request, so it is checked before it becomes a header."""
    with pytest.raises(ValueError, match="RFC 6750"):
        FhirClient(httpx.AsyncClient(), SERVER, SecretStr(token), settings())


async def test_client_without_token_sends_none() -> None:
    """Where the request brings no token, none is made up."""
    server = FakeFhir({"Patient/child-1": patient()})

    await client_of(server, token=None).read("Patient", "child-1", soon())

    assert "authorization" not in server.requests[0].headers


async def test_shared_http_client_keeps_no_cookies() -> None:
    """A session of one patient's server must not reach the next request."""
    http = open_http(settings())
    request = httpx.Request("GET", SERVER)
    http.cookies.extract_cookies(httpx.Response(200, headers={"set-cookie": "session=1"}, request=request))

    assert len(http.cookies) == 0
    await http.aclose()


@pytest.mark.parametrize(
    "value", ["text", 5, {"resourceType": "Bundle", "entry": [5]}, {"resourceType": "Bundle", "entry": {}}]
)
async def test_search_answer_of_another_shape_is_malformed(value: object) -> None:
    """A Bundle whose entries are no objects is refused, not stumbled over."""
    with pytest.raises(FhirMalformed):
        await client_of(lambda _: answer(value)).search("Observation", {"patient": "child-1"}, soon())
