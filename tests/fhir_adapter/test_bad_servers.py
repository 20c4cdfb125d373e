"""What servers send that they should not, at each place of one whole chart: a gap with its reason, never a guess.

The table is faults x places. What is spoiled lies on a real server; all else of the chart is sound.
"""

from __future__ import annotations

import asyncio
import gzip
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

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
from tests.fhir_adapter.builders import ASKED_AT, PATIENT_ID, Json, bundle, dicom_file, multipart, quantity
from tests.fhir_adapter.builders import outcome as a_failure
from tests.fhir_adapter.hospital import (
    FHIR_JSON,
    SECOND_CHOICE,
    WHOLE,
    Sound,
    Spoil,
    breathing,
    heart_rate,
    hospital,
    pieces_of,
)
from tests.fhir_adapter.rest.wire import Serve, Wire, says, wire

TOKEN: Final = "tok-3f9a"
OTHER_ID: Final = "child-2"
MARKER: Final = "Quillfeather"
"""Stands in every body that is not the chart's: no gap and no log line may quote it."""
ROOM: Final = 1_000_000
SHORT_S: Final = 1.0
"""Seconds for what a slow server holds up."""
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
        """Modality and reason of each gap."""
        return {(gap.modality, gap.reason) for gap in self.gaps}

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What the record says it lacks; nothing where there is none."""
        return self.record.gaps if self.record else ()

    @property
    def pieces(self) -> dict[str, str]:
        """What the record says."""
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


SLOW: Final[tuple[tuple[str, Spoil, GapReason], ...]] = (
    ("vitals page 2", silence, INCOMPLETE),
    ("labs", drip, TIMEOUT),
    ("reports", silence, TIMEOUT),
    ("endpoint", drip, TIMEOUT),
    ("binary", silence, TIMEOUT),
    ("film", drip, TIMEOUT),
)


@pytest.mark.parametrize(("name", "spoil", "reason"), SLOW)
async def test_slow_place_costs_no_more_than_the_deadline(
    name: str, spoil: Spoil, reason: GapReason, caplog: pytest.LogCaptureFixture
) -> None:
    """A server that drips or says nothing is left at the deadline, and all that was there by then is in the record."""
    later = name in ("binary", "film")

    outcome = await outcome_of(caplog, {name: spoil}, 60 if later else SHORT_S, SHORT_S if later else 60)

    kept = without(*PLACES[name].lost)
    if name == "film":
        # No time is left to look at the photograph.
        kept.pop("Media/media-1")
    assert (outcome.error, outcome.pieces) == (None, kept)
    assert (outcome.reasons, outcome.quoted) == ({(PLACES[name].modality, reason)}, [])


@pytest.mark.parametrize("spoil", [drip, silence])
async def test_slow_patient_ends_at_the_deadline(spoil: Spoil, caplog: pytest.LogCaptureFixture) -> None:
    """A Patient that does not come in time is said to be late, not to be missing."""
    outcome = await outcome_of(caplog, {"patient": spoil}, collecting_s=0.2)

    assert isinstance(outcome.error, ChartUnavailable)
    assert (outcome.error.reason, outcome.quoted) == (TIMEOUT, [])


def changed(change: Callable[[Json], Json]) -> Spoil:
    """Answer what is made of the sound JSON."""
    return lambda sound: says(f"200 OK\r\nContent-Type: {sound.kind}", orjson.dumps(change(sound.json)))


def rewritten(old: bytes, new: bytes) -> Spoil:
    """Answer the sound bytes with some replaced, for what no JSON writer would write."""
    return framed("X-Spoiled: yes", lambda body: body.replace(old, new))


def each_with(**changes: Any) -> Spoil:
    """Change each resource of a Bundle; None takes an element away."""

    def change(found: Json) -> Json:
        for entry in found["entry"]:
            kept = {**entry["resource"], **changes}
            entry["resource"] = {name: value for name, value in kept.items() if value is not None}
        return found

    return changed(change)


def also(*entries: object) -> Spoil:
    """Put entries behind those of a Bundle."""
    return changed(lambda found: {**found, "entry": [*found["entry"], *entries]})


def one_more(**changes: Any) -> Spoil:
    """Put a copy of the first resource behind the others, with changes."""

    def change(found: Json) -> Json:
        return {**found, "entry": [*found["entry"], {"resource": {**found["entry"][0]["resource"], **changes}}]}

    return changed(change)


OTHER: Final = {"reference": f"Patient/{OTHER_ID}", "display": MARKER}
ELSEWHERE: Final = {"reference": f"https://{MARKER.lower()}.example.org/fhir/Patient/{PATIENT_ID}"}
FOREIGN: Final[Mapping[str, Spoil]] = {
    "all of another patient": each_with(subject=OTHER),
    "one of another patient among them": one_more(id=MARKER, subject=OTHER),
    "one of the same id on another server": one_more(id=MARKER, subject=ELSEWHERE),
    "one of nobody": one_more(id=MARKER, subject=None),
    "one with a list for a subject": one_more(id=MARKER, subject=[{"reference": f"Patient/{PATIENT_ID}"}]),
    "two subjects, of which the last counts": rewritten(
        b'"subject":', b'"subject":{"reference":"Patient/child-1"},"subject":{"reference":"Patient/child-2"},"was":'
    ),
    "another Patient among them": also({"resource": {"resourceType": "Patient", "id": OTHER_ID}}),
}
SEARCHED: Final[Mapping[str, tuple[str, ...]]] = {
    "vitals": VITALS,
    "vitals page 2": VITALS,
    "labs": tuple(PLACES["labs"].lost),
    "notes": tuple(PLACES["notes"].lost),
    "reports": tuple(PLACES["reports"].lost),
    "imaging": (FILM,),
    "media": (),
}
"""Places that are searches, with all that such a search brings."""


@pytest.mark.parametrize("fault", FOREIGN)
@pytest.mark.parametrize("name", SEARCHED)
async def test_search_with_data_of_somebody_else_is_discarded_whole(
    name: str, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A server that mixes patients up is not trusted with the rest of that search; others are not touched by it."""
    outcome = await outcome_of(caplog, {name: FOREIGN[fault]})

    assert (outcome.error, outcome.pieces) == (None, without(*SEARCHED[name]))
    assert (outcome.reasons, outcome.quoted) == ({(PLACES[name].modality, FAILED)}, [])


@pytest.mark.parametrize(
    "spoil",
    [
        changed(lambda found: {**found, "id": OTHER_ID, "name": [{"family": MARKER}]}),
        changed(lambda found: {name: value for name, value in found.items() if name != "id"}),
        rewritten(b'"id":"child-1"', b'"id":"child-1","id":"child-2"'),
    ],
)
async def test_another_patient_is_no_chart(spoil: Spoil, caplog: pytest.LogCaptureFixture) -> None:
    """Where the server answers with somebody else's Patient, nothing at all is read as the chart."""
    outcome = await outcome_of(caplog, {"patient": spoil})

    assert (type(outcome.error), outcome.record, outcome.quoted) == (ForeignPatient, None, [])


HARMLESS: Final[Mapping[str, Spoil]] = {
    "unknown types": also(
        {"resource": {"resourceType": "Quux", "id": MARKER}}, {"resource": {"resourceType": 5, "id": [MARKER]}}
    ),
    "entries without a resource": also({}, {"fullUrl": MARKER}, {"resource": None}),
    "everything twice": changed(lambda found: {**found, "entry": found["entry"] * 2}),
    "a total that is wrong": changed(lambda found: {**found, "total": 100_000}),
    "links of any shape": changed(lambda found: {**found, "link": [*found["link"], 5, {"relation": ["next"]}]}),
    "a byte order mark": framed("X-Spoiled: yes", lambda body: b"\xef\xbb\xbf" + body),
    "an older media type": relabelled("\r\nContent-Type: application/json+fhir; charset=utf-8"),
    "a key twice": rewritten(b'{"resourceType":"Bundle"', b'{"resourceType":"Patient","resourceType":"Bundle"'),
    "no compression, said so": framed("Content-Encoding: identity"),
}


@pytest.mark.parametrize("fault", HARMLESS)
@pytest.mark.parametrize("name", SEARCHED)
async def test_oddity_that_hides_nothing_costs_nothing(name: str, fault: str, caplog: pytest.LogCaptureFixture) -> None:
    """What is odd and leaves no doubt is read past."""
    outcome = await outcome_of(caplog, {name: HARMLESS[fault]})

    assert (outcome.error, outcome.pieces, outcome.gaps) == (None, dict(WHOLE), ())


def endless() -> Spoil:
    """A next page after each page."""
    pages = count(3)
    return lambda sound: sends(bundle(breathing(), next_url=f"{sound.origin}/fhir?page={next(pages)}"))


def sends(content: Json) -> Serve:
    return says(f"200 OK\r\nContent-Type: {FHIR_JSON}", orjson.dumps(content))


def page_one(next_url: str) -> Spoil:
    return lambda sound: sends(bundle(heart_rate(), next_url=next_url.format(origin=sound.origin)))


BREATHING: Final = "Observation/rr-1"
PAGING: Final[Mapping[str, tuple[str, Callable[[], Spoil], tuple[str, ...]]]] = {
    "an empty page with a next link": (
        "vitals",
        lambda: lambda sound: sends(bundle(next_url=f"{sound.origin}/fhir?page=2")),
        VITALS,
    ),
    "a link to itself": (
        "vitals page 2",
        lambda: lambda sound: sends(bundle(breathing(), next_url=f"{sound.origin}/fhir?page=2")),
        (),
    ),
    "pages without end": ("vitals page 2", endless, ()),
    "a link to another path": ("vitals", lambda: page_one("{origin}/admin"), (BREATHING,)),
    "a link up the path": ("vitals", lambda: page_one("{origin}/fhir/%2e%2e/admin"), (BREATHING,)),
    "a link with a password": ("vitals", lambda: page_one("http://user:pass@127.0.0.1/fhir"), (BREATHING,)),
    "a link that is none": ("vitals", lambda: page_one("http://["), (BREATHING,)),
    "a link without an address": (
        "vitals",
        lambda: changed(lambda found: {**found, "link": [{"relation": "next", "url": 5}]}),
        (BREATHING,),
    ),
    "an error among the entries": (
        "vitals",
        lambda: also({"resource": {**a_failure(), "text": MARKER}, "search": {"mode": "outcome"}}),
        (),
    ),
    "parts of resources": ("vitals", lambda: each_with(meta={"tag": [{"code": "SUBSETTED"}], "versionId": "1"}), ()),
}
"""By name: the place, what spoils it, and what is not in the record."""


@pytest.mark.parametrize("fault", PAGING)
async def test_search_that_is_not_whole_says_so(fault: str, caplog: pytest.LogCaptureFixture) -> None:
    """Where pages lead nowhere or never end, what was read is used, and that there is more is told."""
    name, spoil, lost = PAGING[fault]

    outcome = await outcome_of(caplog, {name: spoil()})

    assert (outcome.error, outcome.pieces) == (None, without(*lost))
    assert (outcome.reasons, outcome.quoted) == ({("structured", INCOMPLETE)}, [])


def value_of(value: object, **changes: object) -> Spoil:
    return each_with(valueQuantity=quantity(value, "/min", **changes))


HEART: Final = ("Observation/hr-1",)
NOTED: Final = ("DocumentReference/note-1",)
CONTENT: Final[tuple[tuple[str, Spoil, tuple[str, ...], tuple[str, GapReason]], ...]] = (
    ("vitals", value_of("148"), HEART, ("structured", UNREADABLE)),
    ("vitals", value_of("NaN"), HEART, ("structured", UNREADABLE)),
    ("vitals", value_of(value=True), HEART, ("structured", UNREADABLE)),
    ("vitals", value_of([148]), HEART, ("structured", UNREADABLE)),
    ("vitals", value_of(1e300), HEART, ("structured", IMPLAUSIBLE)),
    ("vitals", value_of(-148), HEART, ("structured", IMPLAUSIBLE)),
    ("vitals", each_with(valueQuantity={"value": 148, "unit": 5, "code": 5}), HEART, ("structured", UNREADABLE)),
    ("vitals", value_of(148, comparator="~"), HEART, ("structured", UNREADABLE)),
    ("vitals", rewritten(b"148.0", b"1e999"), VITALS, ("structured", UNREADABLE)),
    ("vitals", rewritten(b"148.0", b"Infinity"), VITALS, ("structured", UNREADABLE)),
    ("vitals", each_with(effectiveDateTime=20261124), HEART, ("structured", UNREADABLE)),
    ("vitals", each_with(effectiveDateTime="2036-11-24"), HEART, ("structured", IMPLAUSIBLE)),
    ("vitals", each_with(status=1), HEART, ("structured", UNREADABLE)),
    ("vitals", each_with(valueQuantity=None, valueString=MARKER), HEART, ("structured", UNREADABLE)),
    ("notes", each_with(date=20261124), NOTED, ("text", UNREADABLE)),
    ("notes", each_with(content=MARKER), NOTED, ("text", UNREADABLE)),
    ("notes", rewritten(b'"size":19', b'"size":"20"'), NOTED, ("text", UNREADABLE)),
    ("notes", rewritten(b'"url":"Binary', b'"url":"http://127.0.0.2:9/Binary'), NOTED, ("text", UNREADABLE)),
    ("notes", rewritten(b'"url":"Binary', b'"url":"file:///etc'), NOTED, ("text", UNREADABLE)),
    ("binary", always("200 OK", MARKER.encode(), kind="text/plain"), NOTED, ("text", UNREADABLE)),
    ("binary", always("200 OK", b"\xff\xfe\xfd", kind="text/plain; charset=utf-8"), NOTED, ("text", UNREADABLE)),
    (
        "binary",
        always("200 OK", b'{"resourceType":"Binary","data":"Quillfeather!"}', kind=FHIR_JSON),
        NOTED,
        ("text", UNREADABLE),
    ),
    ("imaging", each_with(started=20261124), (FILM,), ("image", UNREADABLE)),
    ("imaging", each_with(identifier=MARKER), (FILM,), ("image", UNREADABLE)),
    ("endpoint", changed(lambda found: {**found, "address": 5}), (FILM,), ("image", UNREADABLE)),
    ("endpoint", changed(lambda found: {**found, "address": "http://127.0.0.2:9"}), (FILM,), ("image", UNREADABLE)),
    ("endpoint", changed(lambda found: {**found, "address": f"file:///{MARKER}"}), (FILM,), ("image", UNREADABLE)),
    ("film", lambda sound: part_of(dicom_file(SOPInstanceUID="1.2.9"), sound), (FILM,), ("image", UNREADABLE)),
    ("film", lambda sound: part_of(dicom_file()[:3000], sound), (FILM,), ("image", UNREADABLE)),
    ("film", lambda sound: part_of(HTML, sound), (FILM,), ("image", UNREADABLE)),
    ("film", lambda sound: part_of(dicom_file(Rows=60_000, Columns=60_000), sound), (FILM,), ("image", UNREADABLE)),
)
"""The place, what spoils its content, what is lost by it, and the one gap."""


def part_of(content: bytes, sound: Sound) -> Serve:
    """Answer another file than the one asked for, packed as the sound one is."""
    return says(f"200 OK\r\nContent-Type: {sound.kind}", multipart(content).content)


@pytest.mark.parametrize(("name", "spoil", "lost", "gap"), CONTENT)
async def test_content_that_cannot_be_meant_is_a_gap(
    name: str, spoil: Spoil, lost: tuple[str, ...], gap: tuple[str, GapReason], caplog: pytest.LogCaptureFixture
) -> None:
    """A value of another kind than FHIR prescribes is never guessed at: numbers as text least of all."""
    outcome = await outcome_of(caplog, {name: spoil})

    assert (outcome.error, outcome.pieces) == (None, without(*lost))
    assert (outcome.reasons, outcome.quoted) == ({gap}, [])


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (changed(lambda found: {**found, "birthDate": 20240305}), UNREADABLE),
        (changed(lambda found: {**found, "birthDate": MARKER}), UNREADABLE),
        (changed(lambda found: {**found, "birthDate": "2224-03-05"}), IMPLAUSIBLE),
    ],
)
async def test_date_of_birth_that_is_none_is_a_gap(
    spoil: Spoil, reason: GapReason, caplog: pytest.LogCaptureFixture
) -> None:
    """The chart of a patient whose age cannot be told is read all the same."""
    outcome = await outcome_of(caplog, {"patient": spoil})

    assert outcome.pieces == {**WHOLE, f"Patient/{PATIENT_ID}": "female None"}
    assert (outcome.reasons, outcome.quoted) == ({("patient", reason)}, [])


PASSING: Final = ("429 Too Many Requests\r\nRetry-After: 0", "503 Service Unavailable")


@pytest.mark.parametrize("first", PASSING)
@pytest.mark.parametrize("name", ["patient", *PLACES])
async def test_failure_that_passes_costs_nothing(name: str, first: str, caplog: pytest.LogCaptureFixture) -> None:
    """Where the second try succeeds, nobody need hear of the first."""
    left = [says(first, HTML)]

    outcome = await outcome_of(caplog, {name: lambda sound: left.pop() if left else sound.serve()})

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
async def test_nobody_else_is_asked(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Wherever a server points, no other host hears of the patient, nor of the token."""
    async with wire(says("200 OK")) as stranger:
        outcome = await outcome_of(caplog, {name: led_away(name, stranger.base)})

    assert (stranger.heads, outcome.quoted) == ([], [])
    assert outcome.error is not None or outcome.gaps
