"""What only a real connection shows: pieces, cuts, compression, redirects and how many connections there are."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from pydantic import SecretStr

from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import FhirError, FhirMalformed, FhirRejected, FhirTimeout, FhirUnavailable, ServerNotAllowed
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.transport import open_http
from fhir_adapter.settings import FhirSettings
from tests.fhir_adapter.builders import PATIENT_ID, Json, bundle, observation, patient, soon
from tests.fhir_adapter.rest.wire import Serve, Wire, in_turn, says, wire

FHIR = "200 OK\r\nContent-Type: application/fhir+json"


def sends(content: object, head: str = FHIR) -> Serve:
    return says(head, orjson.dumps(content))


@asynccontextmanager
async def reading(serve: Serve, **changes: Any) -> AsyncIterator[tuple[FhirClient, Wire]]:
    """A client as a process has it, and the server it asks."""
    async with wire(serve) as server:
        settings = FhirSettings(**{"allowed_servers": (server.base,), **changes})
        async with open_http(settings) as http:
            yield FhirClient(http, server.base, SecretStr("abc"), settings), server


async def drip(writer: asyncio.StreamWriter) -> None:
    """Say that a body comes, and send it blank by blank, for ever."""
    writer.write(f"HTTP/1.1 {FHIR}\r\n\r\n".encode())
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.001)


async def test_server_that_drips_costs_no_more_than_the_deadline() -> None:
    """A body that comes byte by byte keeps no timeout of a single read from firing; the deadline ends it."""
    async with reading(drip) as (client, _):
        with pytest.raises(FhirTimeout):
            await client.read("Patient", PATIENT_ID, Deadline.after(0.05))


PACKED = gzip.compress(orjson.dumps(patient()))
ZEROS = gzip.compress(bytes(20_000_000))
JSON = "Content-Type: application/fhir+json"


@pytest.mark.parametrize(
    ("head", "body", "error"),
    [
        (f"200 OK\r\n{JSON}\r\nContent-Length: 1000", b'{"resourceType":', FhirUnavailable),
        (f"200 OK\r\n{JSON}\r\nTransfer-Encoding: chunked", b"5\r\n{}   \r\n", FhirUnavailable),
        (f"200 OK\r\n{JSON}", b'{"resourceType": "Patient", "id": "chi', FhirMalformed),
        (f"200 OK\r\n{JSON}\r\nContent-Encoding: gzip", PACKED[:-20], FhirMalformed),
        (f"200 OK\r\n{JSON}\r\nContent-Encoding: gzip", PACKED[:-4], FhirMalformed),
        (f"200 OK\r\n{JSON}\r\nContent-Encoding: gzip", b"{}", FhirMalformed),
        (f"200 OK\r\n{JSON}\r\nContent-Encoding: gzip", ZEROS, FhirMalformed),
        (f"200 OK\r\n{JSON}\r\nContent-Encoding: gzip, gzip", gzip.compress(ZEROS), FhirMalformed),
        (f"200 OK\r\n{JSON}\r\nContent-Encoding: br", b"\x0b\x02\x80{}\x03", FhirMalformed),
        ("200 OK\r\nContent-Type: text/html", b"<html>Sign in", FhirMalformed),
        ("200 OK", b"{}", FhirMalformed),
        ("204 No Content", b"", FhirMalformed),
        ("206 Partial Content\r\nContent-Type: application/fhir+json", b"{}", FhirMalformed),
        ("302 Found\r\nLocation: /fhir/Patient/child-1", b"", FhirRejected),
        ("302 Found\r\nLocation: https://evil.example.org/fhir", b"", ServerNotAllowed),
        ("302 Found\r\nLocation: http://[", b"", ServerNotAllowed),
        ("302 Found", b"", FhirRejected),
        ("not HTTP", b"", FhirUnavailable),
    ],
)
async def test_odd_answer_is_an_error_of_ours(head: str, body: bytes, error: type[FhirError]) -> None:
    """Whatever comes over the wire is one of our errors, which says nothing of what came."""
    async with reading(says(head, body), max_bytes=1_000_000) as (client, _):
        with pytest.raises(error) as caught:
            await client.read("Patient", PATIENT_ID, soon())

    assert PATIENT_ID not in str(caught.value)


def deflated(content: Json) -> bytes:
    """Deflate without the zlib header, as some servers send it."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(orjson.dumps(content)) + packer.flush()


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", PACKED),
        ("x-gzip", PACKED),
        ("GZIP", PACKED),
        ("deflate", zlib.compress(orjson.dumps(patient()))),
        ("deflate", deflated(patient())),
        ("identity", orjson.dumps(patient())),
    ],
)
async def test_compressed_answer_is_unpacked(coding: str, body: bytes) -> None:
    """What was asked for in compressed form is read in each of its forms."""
    async with reading(says(f"{FHIR}\r\nContent-Encoding: {coding}", body)) as (client, server):
        assert await client.read("Patient", PATIENT_ID, soon()) == patient()

    assert "accept-encoding: gzip, deflate\r\n" in server.heads[0].lower()


@pytest.mark.parametrize(
    "first",
    [
        says("503 Busy"),
        says("429 Slow down\r\nRetry-After: 0"),
        says("503 Busy\r\nRetry-After: Wed, 21 Oct 2015 07:28:00 GMT"),
        says("503 Busy\r\nRetry-After: soon"),
        says("502 Bad gateway"),
        says("504 Gateway timeout"),
        says(""),
    ],
)
async def test_passing_failure_is_asked_again(first: Serve) -> None:
    """What may be gone in a moment is asked again, within the one deadline."""
    async with reading(in_turn(first, sends(patient()))) as (client, server):
        assert await client.read("Patient", PATIENT_ID, soon()) == patient()

    assert len(server.heads) == 2


@pytest.mark.parametrize("head", ["400 Bad", "401 Who", "403 No", "404 None", "410 Gone", "500 Broken", "501 Never"])
async def test_lasting_failure_is_asked_once(head: str) -> None:
    """What will be the same in a moment is not asked again."""
    async with reading(says(head)) as (client, server):
        with pytest.raises(FhirError):
            await client.read("Patient", PATIENT_ID, soon())

    assert len(server.heads) == 1


async def test_tries_are_few() -> None:
    """A server that stays overloaded is left alone after `FHIR_MAX_ATTEMPTS`."""
    async with reading(says("503 Busy"), max_attempts=2) as (client, server):
        with pytest.raises(FhirUnavailable):
            await client.read("Patient", PATIENT_ID, soon())

    assert len(server.heads) == 2


@pytest.mark.parametrize("wish", ["3600", "999999999999", "Fri, 31 Dec 2399 23:59:59 GMT"])
async def test_server_that_asks_for_more_time_than_there_is_ends_the_read_at_once(wish: str) -> None:
    """A Retry-After beyond the deadline means that there will be no answer in time."""
    async with reading(says(f"503 Busy\r\nRetry-After: {wish}")) as (client, server):
        with pytest.raises(FhirTimeout):
            await client.read("Patient", PATIENT_ID, soon())

    assert len(server.heads) == 1


async def test_server_gets_no_more_connections_than_its_share() -> None:
    """One server has a limited number of connections, so that a slow one leaves some for the others."""
    goes_on = asyncio.Event()

    async def slow(writer: asyncio.StreamWriter) -> None:
        await goes_on.wait()
        await sends(patient())(writer)

    async with reading(slow, max_connections_per_server=2) as (client, server):
        reads = [asyncio.create_task(client.read("Patient", PATIENT_ID, soon())) for _ in range(5)]
        while len(server.heads) < 2:  # noqa: ASYNC110 - what is waited for is on the other side of the wire
            await asyncio.sleep(0)
        goes_on.set()
        await asyncio.gather(*reads)

    assert (server.open_at_once, len(server.heads)) == (2, 5)


async def test_who_waits_for_a_connection_in_vain_ends_at_the_deadline() -> None:
    """Waiting for a connection counts like waiting for the answer."""
    async with reading(drip, max_connections_per_server=1) as (client, server):
        first = asyncio.create_task(client.read("Patient", PATIENT_ID, soon()))
        while not server.heads:  # noqa: ASYNC110 - see above
            await asyncio.sleep(0)
        with pytest.raises(FhirTimeout):
            await client.read("Patient", PATIENT_ID, Deadline.after(0.02))
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)

    assert len(server.heads) == 1


async def test_search_by_post_reaches_the_server_as_a_form() -> None:
    """With FHIR_SEARCH_BY=post the parameters are in a form, and not in the address that servers log."""
    async with reading(sends(bundle(observation())), search_by="post") as (client, server):
        found = await client.search("Observation", {"patient": PATIENT_ID}, soon())

    (head,) = server.heads
    assert (len(found.resources), found.complete) == (1, True)
    assert head.startswith("POST /fhir/Observation/_search HTTP/1.1\r\n")
    assert "content-type: application/x-www-form-urlencoded\r\n" in head.lower()


@pytest.mark.parametrize(("code", "error"), [(301, FhirRejected), (302, FhirRejected), (303, FhirRejected)])
async def test_redirect_that_would_lose_the_form_is_not_followed(code: int, error: type[FhirError]) -> None:
    """After such a redirect the search would be for everybody."""
    moved = says(f"{code} Moved\r\nLocation: /fhir/Observation")
    async with reading(in_turn(moved, sends(bundle())), search_by="post") as (client, server):
        with pytest.raises(error):
            await client.search("Observation", {"patient": PATIENT_ID}, soon())

    assert len(server.heads) == 1


async def test_redirect_that_keeps_the_form_is_followed() -> None:
    """307 and 308 send the same POST again."""
    moved = says("308 Moved\r\nLocation: /fhir/r4/Observation/_search")
    async with reading(in_turn(moved, sends(bundle(observation()))), search_by="post") as (client, server):
        await client.search("Observation", {"patient": PATIENT_ID}, soon())

    assert server.heads[1].startswith("POST /fhir/r4/Observation/_search ")
