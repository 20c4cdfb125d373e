"""What servers send that they should not, at each place of one whole chart: a gap with its reason, never a guess.

The table is faults x places. What is spoiled lies on a real server; all else of the chart is sound.
"""

from __future__ import annotations

import asyncio
import gzip
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx
import orjson
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from fhir_adapter.build import build_record
from fhir_adapter.collect import collect_chart
from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import ChartUnavailable, FhirError, ForeignPatient
from fhir_adapter.images.dicomweb import DicomWeb
from fhir_adapter.record import Gap, GapReason, PatientRecord
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.transport import open_http
from fhir_adapter.settings import FhirSettings
from tests.fhir_adapter.builders import ASKED_AT, PATIENT_ID, Json, bundle, dicom_file, multipart, quantity, soon
from tests.fhir_adapter.hospital import FHIR_JSON, SECOND_CHOICE, WHOLE, Sound, Spoil, breathing, heart_rate, hospital
from tests.fhir_adapter.hospital import pieces_of
from tests.fhir_adapter.rest.wire import Serve, Wire, says, wire

TOKEN: Final = "tok-3f9a"
OTHER_ID: Final = "child-2"
MARKER: Final = "Quillfeather"
"""Stands in every body that is not the chart's: no gap and no log line may quote it."""
ROOM: Final = 1_000_000
ZEROS: Final = gzip.compress(bytes(20 * ROOM))

MISSING, REFUSED, FAILED, TIMEOUT, UNREADABLE, INCOMPLETE, IMPLAUSIBLE = (
    GapReason.MISSING,
    GapReason.REFUSED,
    GapReason.FAILED,
    GapReason.TIMEOUT,
    GapReason.UNREADABLE,
    GapReason.INCOMPLETE,
    GapReason.IMPLAUSIBLE,
)


def always(status: str, body: bytes = b"", *headers: str, kind: str = "text/html") -> Spoil:
    """Answer this, whatever the sound answer was."""
    head = "\r\n".join([status, f"Content-Type: {kind}", *headers])
    return lambda _: says(head, body)


def moved(target: str) -> Spoil:
    return lambda sound: says(f"302 Found\r\nLocation: {target.format(origin=sound.origin)}")


def framed(header: str, spoil: Callable[[bytes], bytes] = lambda body: body) -> Spoil:
    """Answer the sound body, or what is made of it, under one more header."""
    return lambda sound: says(f"200 OK\r\nContent-Type: {sound.kind}\r\n{header}", spoil(sound.body))


def relabelled(kind: str) -> Spoil:
    return lambda sound: says(f"200 OK{kind}", sound.body)


def cut(sound: Sound) -> Serve:
    return says(f"200 OK\r\nContent-Type: {sound.kind}", sound.body[: len(sound.body) // 2])


def drip(sound: Sound) -> Serve:
    async def serve(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: {sound.kind}\r\n\r\n".encode())
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    return serve


def silence(_: Sound) -> Serve:
    async def serve(_writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    return serve


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


HTML: Final = f"<html><title>{MARKER}</title>Sign in".encode()
PAGE: Final = orjson.dumps({"resourceType": "Basic", "id": MARKER})
FAULTS: Final[Mapping[str, tuple[Spoil, GapReason]]] = {
    "a page of HTML": (always("200 OK", HTML), UNREADABLE),
    "a page of HTML that says it is JSON": (always("200 OK", HTML, kind=FHIR_JSON), UNREADABLE),
    "a bad gateway's page": (always("502 Bad Gateway", HTML), FAILED),
    "no body": (always("200 OK", kind=FHIR_JSON), UNREADABLE),
    "204": (always("204 No Content"), UNREADABLE),
    "206": (always("206 Partial Content", b"{}", kind=FHIR_JSON), UNREADABLE),
    "JSON that is cut off": (cut, UNREADABLE),
    "a list": (always("200 OK", b"[1]", kind=FHIR_JSON), UNREADABLE),
    "another resource": (always("200 OK", PAGE, kind=FHIR_JSON), UNREADABLE),
    "NaN": (always("200 OK", b'{"resourceType": "Bundle", "total": NaN}', kind=FHIR_JSON), UNREADABLE),
    "an entry that is no object": (
        always("200 OK", orjson.dumps({"resourceType": "Bundle", "entry": [MARKER]}), kind=FHIR_JSON),
        UNREADABLE,
    ),
    "too deep": (always("200 OK", b'{"a":' * 500 + b"1" + b"}" * 500, kind=FHIR_JSON), UNREADABLE),
    "far too deep": (always("200 OK", b'{"a":' * 50_000, kind=FHIR_JSON), UNREADABLE),
    "no UTF-8": (always("200 OK", b'{"id": "\xff' + MARKER.encode() + b'"}', kind=FHIR_JSON), UNREADABLE),
    "another content type": (relabelled("\r\nContent-Type: application/x-unknown"), UNREADABLE),
    "too large": (always("200 OK", b" " * (ROOM + 1), kind=FHIR_JSON), UNREADABLE),
    "a gzip bomb": (always("200 OK", ZEROS, "Content-Encoding: gzip", kind=FHIR_JSON), UNREADABLE),
    "gzip that is none": (framed("Content-Encoding: gzip"), UNREADABLE),
    "an unknown compression": (framed("Content-Encoding: br"), UNREADABLE),
    "a Content-Length too long": (framed("Content-Length: 100000"), FAILED),
    "a Content-Length too short": (framed("Content-Length: 10"), UNREADABLE),
    "a chunk that is cut off": (framed("Transfer-Encoding: chunked", lambda body: b"ffff\r\n" + body), FAILED),
    "no answer": (lambda _: hang_up, FAILED),
    "no HTTP": (lambda _: says(MARKER), FAILED),
    "401": (always("401 Unauthorized", HTML), REFUSED),
    "403": (always("403 Forbidden", HTML), REFUSED),
    "404": (always("404 Not Found", HTML), MISSING),
    "410": (always("410 Gone", HTML), MISSING),
    "400": (always("400 Bad Request", HTML), FAILED),
    "429": (always("429 Too Many Requests", HTML), FAILED),
    "429 until tomorrow": (always("429 Too Many Requests", HTML, "Retry-After: 86400"), TIMEOUT),
    "500": (always("500 Internal Server Error", HTML), FAILED),
    "503": (always("503 Service Unavailable", HTML), FAILED),
    "a redirect to another host": (moved("http://127.0.0.2:9/fhir"), UNREADABLE),
    "a redirect to another path": (moved("{origin}/admin"), UNREADABLE),
    "a redirect to nowhere": (moved("http://["), UNREADABLE),
    "a redirect in a ring": (moved("?"), FAILED),
}
"""What may come at any place, and the reason that a clinician reads."""
SLOW: Final[Mapping[str, Spoil]] = {"a drip": drip, "silence": silence}
NOT_OFFERED: Final = frozenset({"401", "403", "404", "410", "400", "a redirect in a ring"})
"""What says that a server does not have a part, or not for us: of parts that few have, that is no news."""


@dataclass(frozen=True)
class Place:
    """One part of the chart: what is not in the record where it is spoiled, and what the gap is of.

    `reason` where it is the same for all faults.
    """

    modality: str
    lost: frozenset[str] = frozenset()
    reason: GapReason | None = None
    optional: bool = False


def place(modality: str, *lost: str, **more: Any) -> Place:
    return Place(modality, frozenset(lost), **more)


VITALS: Final = ("Observation/hr-1", "Observation/rr-1")
FILM: Final = "ImagingStudy/study-1"
PLACES: Final[Mapping[str, Place]] = {
    "vitals": place("structured", *VITALS),
    "vitals page 2": place("structured", "Observation/rr-1", reason=INCOMPLETE),
    "labs": place("structured", "Observation/crp-1", "Observation/wbc-1"),
    "notes": place("text", "DocumentReference/note-1"),
    "binary": place("text", "DocumentReference/note-1"),
    "reports": place("text", "DiagnosticReport/report-1", optional=True),
    "imaging": place("image", FILM),
    "endpoint": place("image", FILM),
    "film": place("image", FILM),
    "media": place("image", optional=True),
}


def told(name: str, fault: str, reason: GapReason) -> set[tuple[str, GapReason]]:
    """Return modality and reason of the gaps to be told."""
    spot = PLACES[name]
    return set() if spot.optional and fault in NOT_OFFERED else {(spot.modality, spot.reason or reason)}


def without(*lost: str) -> dict[str, str]:
    """Return what the record says without some pieces; a photographed film stands in for the study's."""
    left = {source: said for source, said in WHOLE.items() if source not in lost}
    return left | (SECOND_CHOICE if FILM in lost else {})


@dataclass
class Outcome:
    """What became of one chart, and all that was said about it outside the record."""

    record: PatientRecord | None
    error: FhirError | None
    lines: str

    @property
    def reasons(self) -> set[tuple[str, GapReason]]:
        return {(gap.modality, gap.reason) for gap in self.gaps}

    @property
    def gaps(self) -> tuple[Gap, ...]:
        return self.record.gaps if self.record else ()

    @property
    def pieces(self) -> dict[str, str]:
        return pieces_of(self.record) if self.record else {}

    @property
    def quoted(self) -> list[str]:
        """What identifies somebody, or was planted, and stands in a gap, an error or a log line."""
        said = " ".join([self.lines, str(self.error or ""), *map(str, self.gaps)])
        return [word for word in (PATIENT_ID, OTHER_ID, MARKER, TOKEN, "127.0.0", "note-text") if word in said]


async def read_chart(server: Wire, collecting: Deadline, building: Deadline) -> PatientRecord:
    """Read the whole chart as a hook and its worker do."""
    archive = server.base.replace("/fhir", "/dicom-web")
    settings = FhirSettings(allowed_servers=(server.base, archive), max_bytes=ROOM, max_image_bytes=ROOM)
    async with open_http(settings) as http:
        token = SecretStr(TOKEN)
        client, web = FhirClient(http, server.base, token, settings), DicomWeb(http, settings)
        chart = await collect_chart(None, client, PATIENT_ID, collecting, asked_at=ASKED_AT)
        return await build_record(chart, client, web, ASKED_AT, building)


async def outcome_of(
    caplog: pytest.LogCaptureFixture, spoils: Mapping[str, Spoil], collecting_s: float = 60, building_s: float = 60
) -> Outcome:
    record, error = None, None
    with capture_logs() as logs, caplog.at_level(logging.WARNING):
        async with asyncio.timeout(120), hospital(spoils) as server:
            try:
                record = await read_chart(server, Deadline.after(collecting_s), Deadline.after(building_s))
            except FhirError as caught:
                error = caught
    return Outcome(record, error, f"{logs} {caplog.text}")


async def test_sound_server_gives_the_whole_chart(caplog: pytest.LogCaptureFixture) -> None:
    """Without a fault all is in the record, and no gap: what the table below misses is due to its faults."""
    outcome = await outcome_of(caplog, {})

    assert (outcome.error, outcome.pieces, outcome.gaps) == (None, dict(WHOLE), ())


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", PLACES)
async def test_spoiled_place_is_a_gap_and_costs_nothing_else(
    name: str, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever comes at one place is told with its reason; all else of the chart is read, and nothing is quoted."""
    spoil, reason = FAULTS[fault]

    outcome = await outcome_of(caplog, {name: spoil})

    assert (outcome.error, outcome.pieces) == (None, without(*PLACES[name].lost))
    assert (outcome.reasons, outcome.quoted) == (told(name, fault, reason), [])


@pytest.mark.parametrize("fault", FAULTS)
async def test_without_the_patient_there_is_no_chart(fault: str, caplog: pytest.LogCaptureFixture) -> None:
    """A Patient that cannot be had is the one fault that ends it all, with its reason."""
    spoil, reason = FAULTS[fault]

    outcome = await outcome_of(caplog, {"patient": spoil})

    assert isinstance(outcome.error, ChartUnavailable)
    assert (outcome.error.reason, outcome.quoted) == (reason, [])
