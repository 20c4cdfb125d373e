"""Values, dates and addresses of another kind than FHIR prescribes: a gap with its reason, never a guess."""

from __future__ import annotations

from typing import Final

import pytest

from fhir_adapter.record import GapReason
from tests.fhir_adapter.builders import PATIENT_ID, dicom_file, multipart, quantity
from tests.fhir_adapter.hospital import (
    FHIR_JSON,
    WHOLE,
    Sound,
    Spoil,
)
from tests.fhir_adapter.outcomes import FILM, VITALS, ReadSpoiled, without
from tests.fhir_adapter.rest.wire import Serve, says
from tests.fhir_adapter.spoils import (
    MARKER,
    always,
    changed,
    each_with,
    rewritten,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


def value_of(value: object, **changes: object) -> Spoil:
    return each_with(valueQuantity=quantity(value, "/min", **changes))


def part_of(content: bytes, sound: Sound) -> Serve:
    """Answer another file than the one asked for, packed as the sound one is."""
    return says(f"200 OK\r\nContent-Type: {sound.kind}", multipart(content).content)


HEART: Final = ("Observation/hr-1",)
NOTED: Final = ("DocumentReference/note-1",)
CONTENT: Final[tuple[tuple[str, Spoil, tuple[str, ...], GapReason], ...]] = (
    ("vitals", value_of("148"), HEART, GapReason.UNREADABLE),
    ("vitals", value_of("NaN"), HEART, GapReason.UNREADABLE),
    ("vitals", value_of(value=True), HEART, GapReason.UNREADABLE),
    ("vitals", value_of([148]), HEART, GapReason.UNREADABLE),
    ("vitals", value_of(1e300), HEART, GapReason.IMPLAUSIBLE),
    ("vitals", value_of(-148), HEART, GapReason.IMPLAUSIBLE),
    (
        "vitals",
        each_with(valueQuantity={"value": 148, "unit": 5, "code": 5}),
        HEART,
        GapReason.UNREADABLE,
    ),
    ("vitals", value_of(148, comparator="~"), HEART, GapReason.UNREADABLE),
    ("vitals", rewritten(b"148.0", b"1e999"), VITALS, GapReason.UNREADABLE),
    ("vitals", rewritten(b"148.0", b"Infinity"), VITALS, GapReason.UNREADABLE),
    ("vitals", each_with(effectiveDateTime=20261124), HEART, GapReason.UNREADABLE),
    ("vitals", each_with(effectiveDateTime="2036-11-24"), HEART, GapReason.IMPLAUSIBLE),
    ("vitals", each_with(status=1), HEART, GapReason.UNREADABLE),
    ("vitals", each_with(valueQuantity=None, valueString=MARKER), HEART, GapReason.UNREADABLE),
    ("notes", each_with(date=20261124), NOTED, GapReason.UNREADABLE),
    ("notes", each_with(content=MARKER), NOTED, GapReason.UNREADABLE),
    ("notes", rewritten(b'"size":19', b'"size":"20"'), NOTED, GapReason.UNREADABLE),
    ("notes", rewritten(b'"url":"Binary', b'"url":"http://127.0.0.2:9/Binary'), NOTED, GapReason.UNREADABLE),
    ("notes", rewritten(b'"url":"Binary', b'"url":"file:///etc'), NOTED, GapReason.UNREADABLE),
    ("binary", always("200 OK", MARKER.encode(), kind="text/plain"), NOTED, GapReason.UNREADABLE),
    (
        "binary",
        always("200 OK", b"\xff\xfe\xfd", kind="text/plain; charset=utf-8"),
        NOTED,
        GapReason.UNREADABLE,
    ),
    (
        "binary",
        always("200 OK", b'{"resourceType":"Binary","data":"Quillfeather!"}', kind=FHIR_JSON),
        NOTED,
        GapReason.UNREADABLE,
    ),
    ("imaging", each_with(started=20261124), (FILM,), GapReason.UNREADABLE),
    ("imaging", each_with(identifier=MARKER), (FILM,), GapReason.UNREADABLE),
    ("endpoint", changed(lambda found: {**found, "address": 5}), (FILM,), GapReason.UNREADABLE),
    (
        "endpoint",
        changed(lambda found: {**found, "address": "http://127.0.0.2:9"}),
        (FILM,),
        GapReason.UNREADABLE,
    ),
    (
        "endpoint",
        changed(lambda found: {**found, "address": f"file:///{MARKER}"}),
        (FILM,),
        GapReason.UNREADABLE,
    ),
    (
        "film",
        lambda sound: part_of(dicom_file(SOPInstanceUID="1.2.9"), sound),
        (FILM,),
        GapReason.UNREADABLE,
    ),
    ("film", lambda sound: part_of(dicom_file()[:3000], sound), (FILM,), GapReason.UNREADABLE),
    ("film", lambda sound: part_of(MARKER.encode(), sound), (FILM,), GapReason.UNREADABLE),
    (
        "film",
        lambda sound: part_of(dicom_file(Rows=60_000, Columns=60_000), sound),
        (FILM,),
        GapReason.UNREADABLE,
    ),
)
"""The place, what spoils its content, what is lost by it, and why."""


@pytest.mark.parametrize(("name", "spoil", "lost", "reason"), CONTENT)
async def test_content_that_cannot_be_meant_is_a_gap(
    name: str, spoil: Spoil, lost: tuple[str, ...], reason: GapReason, read_spoiled: ReadSpoiled
) -> None:
    """A value of another kind than FHIR prescribes is never guessed at: numbers as text least of all."""
    outcome = await read_spoiled({name: spoil})

    assert (outcome.error, outcome.pieces) == (None, without(*lost))
    assert (outcome.reasons, outcome.quoted) == ({(PLACES[name].modality, reason)}, [])


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (changed(lambda found: {**found, "birthDate": 20240305}), GapReason.UNREADABLE),
        (changed(lambda found: {**found, "birthDate": MARKER}), GapReason.UNREADABLE),
        (changed(lambda found: {**found, "birthDate": "2224-03-05"}), GapReason.IMPLAUSIBLE),
    ],
)
async def test_date_of_birth_that_is_none_is_a_gap(spoil: Spoil, reason: GapReason, read_spoiled: ReadSpoiled) -> None:
    """The chart of a patient whose age cannot be told is read all the same."""
    outcome = await read_spoiled({"patient": spoil})

    assert outcome.pieces == {**WHOLE, f"Patient/{PATIENT_ID}": "female None"}
    assert (outcome.reasons, outcome.quoted) == ({("patient", reason)}, [])
