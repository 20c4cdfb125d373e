"""What a client remembers between questions: capabilities, answers with an ETag, and servers that take no POST."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from pydantic import SecretStr

from fhir_adapter.auth.grant import Grant, GrantAccess
from fhir_adapter.errors import AccessExpired, FhirError, FhirGone, FhirMalformed, FhirRejected
from fhir_adapter.rest.capabilities import FhirVersion
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.memory import MOST_SERVERS, memory_of, remember
from fhir_adapter.settings import FhirSettings
from fhir_adapter.shape import Resource
from tests.fhir_adapter.builders import (
    SERVER,
    Handler,
    Json,
    answer,
    bundle,
    observation,
    outcome,
    patient,
    settings,
    soon,
)

SUBSETTED = {"versionId": "1", "tag": [{"code": "SUBSETTED"}]}


def clients_of(handler: Handler, *tokens: str, **changes: object) -> list[FhirClient]:
    """Clients of one process, each for a request of its own."""
    limits = settings(**changes)
    http = httpx.AsyncClient(transport=httpx.MockTransport(handler))
    remember(http, limits)
    return [FhirClient(http, SERVER, SecretStr(token), limits) for token in tokens]


class Versioned:
    """A server of one answer with an ETag, which says 304 to whoever has it and may see it."""

    def __init__(self, content: Json | bytes, etag: str = 'W/"1"', **headers: str) -> None:
        self.content, self.etag, self.headers = content, etag, headers
        self.asked: list[tuple[str, int]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer, and note the If-None-Match and the status."""
        wanted = request.headers.get("if-none-match", "")
        refused = request.headers["authorization"] == "Bearer stranger"
        status = 403 if refused else 304 if wanted and wanted == self.etag else 200
        self.asked.append((wanted, status))
        kind = "text/plain" if isinstance(self.content, bytes) else "application/fhir+json"
        found = answer(b"" if status == 304 else self.content, status, kind)
        found.headers["etag"] = self.etag
        found.headers.update({name.replace("_", "-"): text for name, text in self.headers.items()})
        return found


async def test_unchanged_resource_is_not_sent_again() -> None:
    """A second read asks whether it changed, and a 304 is the server's word that it did not."""
    server = Versioned(patient())
    one, other = clients_of(server, "abc", "abc")
    first = await one.read("Patient", "child-1", soon())
    first["birthDate"] = "changed by whoever got it"

    assert await other.read("Patient", "child-1", soon()) == patient()
    assert server.asked == [("", 200), ('W/"1"', 304)]


async def test_nobody_is_given_what_was_sent_to_another() -> None:
    """A server may show one version to each user differently, so that another token asks for the whole."""
    server = Versioned(patient())
    one, other = clients_of(server, "abc", "xyz")
    await one.read("Patient", "child-1", soon())
    server.content = patient(telecom=[])

    assert await other.read("Patient", "child-1", soon()) == patient(telecom=[])
    assert server.asked == [("", 200), ("", 200)]


async def test_changed_resource_takes_its_place() -> None:
    """Another version is read, and asked about from then on."""
    server = Versioned(patient())
    (client,) = clients_of(server, "abc")
    await client.read("Patient", "child-1", soon())
    server.content, server.etag = patient(gender="male"), 'W/"2"'
    changed = await client.read("Patient", "child-1", soon())
    await client.read("Patient", "child-1", soon())

    assert changed == patient(gender="male")
    assert server.asked == [("", 200), ('W/"1"', 200), ('W/"2"', 304)]


async def test_who_may_not_see_it_does_not_get_it() -> None:
    """What one token could read, another gets only if the server says so."""
    one, stranger = clients_of(Versioned(patient()), "abc", "stranger")
    await one.read("Patient", "child-1", soon())

    with pytest.raises(FhirError):
        await stranger.read("Patient", "child-1", soon())


@pytest.mark.parametrize(
    "server",
    [
        Versioned(patient(meta=SUBSETTED)),
        Versioned(patient(), cache_control="no-store"),
        Versioned(patient(), vary="Accept, Authorization"),
        Versioned(patient(), vary="*"),
        Versioned(patient(), etag=""),
    ],
    ids=["subsetted", "no-store", "for this token", "for this request", "no etag"],
)
async def test_what_may_not_be_kept_is_not(server: Versioned) -> None:
    """A part of a resource, and what the server wants nobody to keep, is read anew each time."""
    (client,) = clients_of(server, "abc")
    await client.read("Patient", "child-1", soon())
    await client.read("Patient", "child-1", soon())

    assert [wanted for wanted, _ in server.asked] == ["", ""]


@pytest.mark.parametrize(
    "content",
    [b"Cough", {"resourceType": "Binary", "contentType": "text/plain", "data": "Q291Z2g="}],
)
async def test_unchanged_attachment_is_not_sent_again(content: Json | bytes) -> None:
    """A note in a Binary is asked about like any resource, as bytes and as JSON."""
    server = Versioned(content)
    (client,) = clients_of(server, "abc")
    first = await client.fetch_binary("Binary/n1", soon())

    assert await client.fetch_binary("Binary/n1", soon()) == first == (b"Cough", "text/plain")
    assert [status for _, status in server.asked] == [200, 304]


async def test_part_of_an_attachment_is_not_kept() -> None:
    """A Binary that the server cut down is read anew each time."""
    server = Versioned({"resourceType": "Binary", "meta": SUBSETTED, "contentType": "text/plain"})
    (client,) = clients_of(server, "abc")
    await client.fetch_binary("Binary/n1", soon())
    await client.fetch_binary("Binary/n1", soon())

    assert [status for _, status in server.asked] == [200, 200]


async def test_304_that_nobody_asked_for_is_an_error() -> None:
    """Without a kept answer there is nothing that could be unchanged."""
    (client,) = clients_of(lambda _: answer(b"", 304), "abc")

    with pytest.raises(FhirRejected):
        await client.read("Patient", "child-1", soon())


def capability(**changes: object) -> Resource:
    return {"resourceType": "CapabilityStatement", "fhirVersion": "4.3.0", "rest": [{"mode": "server"}], **changes}


class Metadata:
    """A server of a CapabilityStatement."""

    def __init__(self, content: object) -> None:
        self.content, self.asked = content, 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer."""
        assert str(request.url) == f"{SERVER}/metadata"
        self.asked += 1
        return answer(self.content)


async def test_capabilities_are_asked_for_once() -> None:
    """A CapabilityStatement is large, so the whole process asks for it once in a while."""
    server = Metadata(capability())
    one, other = clients_of(server, "abc", "xyz")
    before = other.known_capabilities()
    found = [await each.capabilities(soon()) for each in (one, other)]

    assert (before, [each.version for each in found], server.asked) == (None, [FhirVersion.R4B, FhirVersion.R4B], 1)
    assert other.known_capabilities() == found[0]


async def test_capabilities_are_asked_for_again_when_they_are_old() -> None:
    """After FHIR_CAPABILITIES_S they are asked for anew; until then the old ones are what is known."""
    server = Metadata(capability())
    (client,) = clients_of(server, "abc", capabilities_s=0)
    await client.capabilities(soon())
    await client.capabilities(soon())

    assert server.asked == 2
    assert client.known_capabilities() is not None


@pytest.mark.parametrize(
    "content", [capability(fhirVersion="3.0.2"), outcome(), [], capability(resourceType="Patient")]
)
async def test_server_of_another_version_is_refused(content: object) -> None:
    """DSTU2, STU3 and R6 have other shapes: better no answer than a wrong reading."""
    (client,) = clients_of(Metadata(content), "abc")

    with pytest.raises(FhirMalformed):
        await client.capabilities(soon())
    assert client.known_capabilities() is None


class NoPost:
    """A server that takes no search by POST."""

    def __init__(self, status: int) -> None:
        self.status, self.asked = status, list[str]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer."""
        self.asked.append(request.method)
        return answer(outcome(), self.status) if request.method == "POST" else answer(bundle(observation()))


@pytest.mark.parametrize("status", [405, 415, 501])
async def test_server_without_post_gets_get(status: int) -> None:
    """Where POST is not taken the search goes by GET, at once from then on."""
    server = NoPost(status)
    one, other = clients_of(server, "abc", "xyz", search_by="post")
    found = [await each.search("Observation", {"patient": "child-1"}, soon()) for each in (one, other)]

    assert [len(each.resources) for each in found] == [1, 1]
    assert server.asked == ["POST", "GET", "GET"]


@pytest.mark.parametrize(("status", "error"), [(400, FhirRejected), (404, FhirGone), (422, FhirRejected)])
async def test_search_that_fails_by_post_is_not_tried_by_get(status: int, error: type[FhirError]) -> None:
    """A question that is not understood is not put into an address that is logged."""
    server = NoPost(status)
    (client,) = clients_of(server, "abc", search_by="post")

    with pytest.raises(error):
        await client.search("Observation", {"patient": "child-1"}, soon())
    assert server.asked == ["POST"]


def test_memories_of_two_http_clients_are_apart() -> None:
    """What belongs to one event loop stays there."""
    one, other = httpx.AsyncClient(), httpx.AsyncClient()
    memory = remember(one, FhirSettings(max_connections_per_server=1))

    assert remember(one, FhirSettings()) is memory
    assert remember(other, FhirSettings()) is not memory


async def test_hook_without_a_valid_grant_does_not_keep_others_from_learning() -> None:
    """A server that was not asked, because the access was over, is asked with the next one."""
    statement = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}
    asked: list[httpx.Request] = []

    def server(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return answer(statement)

    http = httpx.AsyncClient(transport=httpx.MockTransport(server))
    over = GrantAccess(Grant(SecretStr("t"), datetime.now(UTC) - timedelta(hours=1)))
    with pytest.raises(AccessExpired):
        await FhirClient(http, SERVER, over, settings()).learn(soon())
    client = FhirClient(http, SERVER, SecretStr("t"), settings())
    await client.learn(soon())
    await client.learn(soon())

    assert client.known_capabilities() is not None
    assert len(asked) == 1


async def test_made_up_addresses_do_not_fill_the_memory() -> None:
    """A hook may name any path beneath an allowed server: what is remembered of them is bounded."""
    statement = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}
    http = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: answer(statement)))
    for number in range(MOST_SERVERS + 50):
        await FhirClient(http, f"{SERVER}/{number}", None, settings()).learn(soon())

    memory = memory_of(http)
    assert max(len(memory.capabilities), len(memory.asked_for_them)) <= MOST_SERVERS


async def test_answer_is_given_though_the_access_ended_meanwhile() -> None:
    """What the server sent while the grant held is handed on, whatever the time is when it has come."""
    now = [datetime(2026, 11, 24, 12, tzinfo=UTC)]
    grant = Grant(SecretStr("t"), now[0] + timedelta(minutes=1))

    def slow(_: httpx.Request) -> httpx.Response:
        now[0] += timedelta(hours=1)
        return httpx.Response(200, json=patient(), headers={"content-type": "application/fhir+json", "etag": 'W/"1"'})

    http = httpx.AsyncClient(transport=httpx.MockTransport(slow))
    client = FhirClient(http, SERVER, GrantAccess(grant, lambda: now[0]), settings())

    assert await client.read("Patient", "child-1", soon()) == patient()
