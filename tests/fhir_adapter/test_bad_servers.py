"""What servers send that they should not, at each place of one whole chart: a gap with its reason, never a guess.

The table is faults x places. What is spoiled lies on a real server; all else of the chart is sound.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from typing import Final

import orjson
import pytest

from fhir_adapter.errors import ChartUnavailable, ForeignPatient
from fhir_adapter.record import GapReason
from tests.fhir_adapter.hospital import FHIR_JSON, WHOLE, Spoil
from tests.fhir_adapter.outcomes import LONG_S, PLACES, ReadSpoiled, without
from tests.fhir_adapter.rest.wire import says, wire
from tests.fhir_adapter.spoils import (
    MARKER,
    OTHER_ID,
    ROOM,
    always,
    changed,
    cut,
    drip,
    framed,
    hang_up,
    moved,
    page_one,
    relabelled,
    rewritten,
    silence,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHORT_S: Final = 1.0
"""Seconds for what a slow server holds up."""
ZEROS: Final = gzip.compress(bytes(20 * ROOM))
HTML: Final = f"<html><title>{MARKER}</title>Sign in".encode()
PAGE: Final = orjson.dumps({"resourceType": "Basic", "id": MARKER})
FAULTS: Final[Mapping[str, tuple[Spoil, GapReason]]] = {
    "a page of HTML": (always("200 OK", HTML), GapReason.UNREADABLE),
    "a page of HTML that says it is JSON": (always("200 OK", HTML, kind=FHIR_JSON), GapReason.UNREADABLE),
    "a bad gateway's page": (always("502 Bad Gateway", HTML), GapReason.FAILED),
    "no body": (always("200 OK", kind=FHIR_JSON), GapReason.UNREADABLE),
    "204": (always("204 No Content"), GapReason.UNREADABLE),
    "206": (always("206 Partial Content", b"{}", kind=FHIR_JSON), GapReason.UNREADABLE),
    "JSON that is cut off": (cut, GapReason.UNREADABLE),
    "a list": (always("200 OK", b"[1]", kind=FHIR_JSON), GapReason.UNREADABLE),
    "another resource": (always("200 OK", PAGE, kind=FHIR_JSON), GapReason.UNREADABLE),
    "NaN": (always("200 OK", b'{"resourceType": "Bundle", "total": NaN}', kind=FHIR_JSON), GapReason.UNREADABLE),
    "an entry that is no object": (
        always("200 OK", orjson.dumps({"resourceType": "Bundle", "entry": [MARKER]}), kind=FHIR_JSON),
        GapReason.UNREADABLE,
    ),
    "too deep": (always("200 OK", b'{"a":' * 500 + b"1" + b"}" * 500, kind=FHIR_JSON), GapReason.UNREADABLE),
    "far too deep": (always("200 OK", b'{"a":' * 50_000, kind=FHIR_JSON), GapReason.UNREADABLE),
    "no UTF-8": (always("200 OK", b'{"id": "\xff' + MARKER.encode() + b'"}', kind=FHIR_JSON), GapReason.UNREADABLE),
    "another content type": (relabelled("application/x-unknown"), GapReason.UNREADABLE),
    "too large": (always("200 OK", b" " * (ROOM + 1), kind=FHIR_JSON), GapReason.UNREADABLE),
    "a gzip bomb": (always("200 OK", ZEROS, "Content-Encoding: gzip", kind=FHIR_JSON), GapReason.UNREADABLE),
    "gzip that is none": (framed("Content-Encoding: gzip"), GapReason.UNREADABLE),
    "an unknown compression": (framed("Content-Encoding: br"), GapReason.UNREADABLE),
    "a Content-Length too long": (framed("Content-Length: 100000"), GapReason.FAILED),
    "a Content-Length too short": (framed("Content-Length: 10"), GapReason.UNREADABLE),
    "a chunk that is cut off": (
        framed("Transfer-Encoding: chunked", lambda body: b"ffff\r\n" + body),
        GapReason.FAILED,
    ),
    "no answer": (lambda _: hang_up, GapReason.FAILED),
    "no HTTP": (lambda _: says(MARKER), GapReason.FAILED),
    "401": (always("401 Unauthorized", HTML), GapReason.REFUSED),
    "403": (always("403 Forbidden", HTML), GapReason.REFUSED),
    "404": (always("404 Not Found", HTML), GapReason.MISSING),
    "410": (always("410 Gone", HTML), GapReason.MISSING),
    "400": (always("400 Bad Request", HTML), GapReason.FAILED),
    "429": (always("429 Too Many Requests", HTML), GapReason.FAILED),
    "429 until tomorrow": (always("429 Too Many Requests", HTML, "Retry-After: 86400"), GapReason.TIMEOUT),
    "500": (always("500 Internal Server Error", HTML), GapReason.FAILED),
    "503": (always("503 Service Unavailable", HTML), GapReason.FAILED),
    "a redirect to another host": (moved("http://127.0.0.2:9/fhir"), GapReason.UNREADABLE),
    "a redirect to another path": (moved("{origin}/admin"), GapReason.UNREADABLE),
    "a redirect to nowhere": (moved("http://["), GapReason.UNREADABLE),
    "a redirect in a ring": (moved("?"), GapReason.FAILED),
}
"""What may come at any place, and the reason that a clinician reads."""
NOT_OFFERED: Final = frozenset({"401", "403", "404", "410", "400", "a redirect in a ring"})
"""What says that a server does not have a part, or not for us: of parts that few have, that is no news."""


def told(name: str, fault: str, reason: GapReason) -> set[tuple[str, GapReason]]:
    """Return modality and reason of the gaps to be told."""
    spot = PLACES[name]
    return set() if spot.optional and fault in NOT_OFFERED else {(spot.modality, spot.reason or reason)}


async def test_sound_server_gives_the_whole_chart(read_spoiled: ReadSpoiled) -> None:
    """Without a fault all is in the record, and no gap: what the table below misses is due to its faults."""
    outcome = await read_spoiled({})

    assert (outcome.error, outcome.pieces, outcome.gaps) == (None, dict(WHOLE), ())


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", PLACES)
async def test_spoiled_place_is_a_gap_and_costs_nothing_else(name: str, fault: str, read_spoiled: ReadSpoiled) -> None:
    """Whatever comes at one place is told with its reason; all else of the chart is read, and nothing is quoted."""
    spoil, reason = FAULTS[fault]

    outcome = await read_spoiled({name: spoil})

    assert (outcome.error, outcome.pieces) == (None, without(*PLACES[name].lost))
    assert (outcome.reasons, outcome.quoted) == (told(name, fault, reason), [])


@pytest.mark.parametrize("fault", FAULTS)
async def test_without_the_patient_there_is_no_chart(fault: str, read_spoiled: ReadSpoiled) -> None:
    """A Patient that cannot be had is the one fault that ends it all, with its reason."""
    spoil, reason = FAULTS[fault]

    outcome = await read_spoiled({"patient": spoil})

    assert isinstance(outcome.error, ChartUnavailable)
    assert (outcome.error.reason, outcome.quoted) == (reason, [])


SLOW: Final[tuple[tuple[str, Spoil, GapReason], ...]] = (
    ("vitals page 2", silence, GapReason.INCOMPLETE),
    ("labs", drip, GapReason.TIMEOUT),
    ("reports", silence, GapReason.TIMEOUT),
    ("endpoint", drip, GapReason.TIMEOUT),
    ("binary", silence, GapReason.TIMEOUT),
    ("film", drip, GapReason.TIMEOUT),
)


@pytest.mark.parametrize(("name", "spoil", "reason"), SLOW)
async def test_slow_place_costs_no_more_than_the_deadline(
    name: str, spoil: Spoil, reason: GapReason, read_spoiled: ReadSpoiled
) -> None:
    """A server that drips or says nothing is left at the deadline, and all that was there by then is in the record."""
    later = name in ("binary", "film")

    outcome = await read_spoiled({name: spoil}, LONG_S if later else SHORT_S, SHORT_S if later else LONG_S)

    kept = without(*PLACES[name].lost)
    if name == "film":
        # No time is left to look at the photograph.
        kept.pop("Media/media-1")
    assert (outcome.error, outcome.pieces) == (None, kept)
    assert (outcome.reasons, outcome.quoted) == ({(PLACES[name].modality, reason)}, [])


@pytest.mark.parametrize("spoil", [drip, silence])
async def test_slow_patient_ends_at_the_deadline(spoil: Spoil, read_spoiled: ReadSpoiled) -> None:
    """A Patient that does not come in time is said to be late, not to be missing."""
    outcome = await read_spoiled({"patient": spoil}, collecting_s=0.2)

    assert isinstance(outcome.error, ChartUnavailable)
    assert (outcome.error.reason, outcome.quoted) == (GapReason.TIMEOUT, [])


@pytest.mark.parametrize(
    "spoil",
    [
        changed(lambda found: {**found, "id": OTHER_ID, "name": [{"family": MARKER}]}),
        changed(lambda found: {name: value for name, value in found.items() if name != "id"}),
        rewritten(b'"id":"child-1"', b'"id":"child-1","id":"child-2"'),
    ],
)
async def test_another_patient_is_no_chart(spoil: Spoil, read_spoiled: ReadSpoiled) -> None:
    """Where the server answers with somebody else's Patient, nothing at all is read as the chart."""
    outcome = await read_spoiled({"patient": spoil})

    assert (type(outcome.error), outcome.record, outcome.quoted) == (ForeignPatient, None, [])


PASSING: Final = ("429 Too Many Requests\r\nRetry-After: 0", "503 Service Unavailable")


@pytest.mark.parametrize("first", PASSING)
@pytest.mark.parametrize("name", ["patient", *PLACES])
async def test_failure_that_passes_costs_nothing(name: str, first: str, read_spoiled: ReadSpoiled) -> None:
    """Where the second try succeeds, nobody need hear of the first."""
    left = [says(first, HTML)]

    outcome = await read_spoiled({name: lambda sound: left.pop() if left else sound.serve()})

    assert (outcome.error, outcome.pieces, outcome.gaps, left) == (None, dict(WHOLE), (), [])


def led_away(name: str, to: str) -> Spoil:
    """Point somewhere else by all that a place has: a redirect, or an address in what it answers."""
    addresses: dict[str, Spoil] = {
        "vitals": page_one(f"{to}?page=2"),
        "notes": rewritten(b'"url":"Binary', f'"url":"{to}/Binary'.encode()),
        "endpoint": changed(lambda found: {**found, "address": to.replace("/fhir", "/dicom-web")}),
    }
    return addresses.get(name, moved(to))


@pytest.mark.parametrize("name", ["patient", *PLACES])
async def test_nobody_else_is_asked(name: str, read_spoiled: ReadSpoiled) -> None:
    """Wherever a server points, no other host hears of the patient, nor of the token."""
    async with wire(says("200 OK")) as stranger:
        outcome = await read_spoiled({name: led_away(name, stranger.base)})

    assert (stranger.heads, outcome.quoted) == ([], [])
    assert outcome.error is not None or outcome.gaps
