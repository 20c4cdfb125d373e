"""Values, dates and addresses of another kind than FHIR prescribes: a gap with its reason, never a guess."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pytest

from fhir_adapter.record import GapReason
from tests.fhir_adapter.builders import PATIENT_ID, dicom_file, multipart, quantity
from tests.fhir_adapter.hospital import FHIR_JSON, WHOLE, Spoil
from tests.fhir_adapter.outcomes import FILM, PLACES, VITALS, ReadSpoiled, without
from tests.fhir_adapter.rest.wire import says
from tests.fhir_adapter.spoils import MARKER, always, changed, each_with, rewritten

pytestmark = pytest.mark.asyncio(loop_scope="module")


def value_of(value: object, **changes: object) -> Spoil:
    return each_with(valueQuantity=quantity(value, "/min", **changes))


def part_of(content: bytes) -> Spoil:
    """Answer another file than the one asked for, packed as the sound one is."""
    return lambda sound: says(f"200 OK\r\nContent-Type: {sound.kind}", multipart(content).content)


def at(address: object) -> Spoil:
    """Name another archive."""
    return changed(lambda found: {**found, "address": address})


HEART: Final = ("Observation/hr-1",)
FILMED: Final = (FILM,)
BROKEN: Final = b'{"resourceType":"Binary","data":"Quillfeather!"}'
NOTED: Final = ("DocumentReference/note-1",)
LINE: Final = b'"url":"Binary'
UNREADABLE: Final[Mapping[str, tuple[str, Spoil, tuple[str, ...]]]] = {
    "a number as text": ("vitals", value_of("148"), HEART),
    "NaN as text": ("vitals", value_of("NaN"), HEART),
    "a truth value": ("vitals", value_of(value=True), HEART),
    "a list of numbers": ("vitals", value_of([148]), HEART),
    "a unit that is a number": ("vitals", each_with(valueQuantity={"value": 148, "unit": 5, "code": 5}), HEART),
    "an unknown comparator": ("vitals", value_of(148, comparator="~"), HEART),
    "a number beyond all": ("vitals", rewritten(b"148.0", b"1e999"), VITALS),
    "infinity": ("vitals", rewritten(b"148.0", b"Infinity"), VITALS),
    "a date as a number": ("vitals", each_with(effectiveDateTime=20261124), HEART),
    "a status as a number": ("vitals", each_with(status=1), HEART),
    "words for a value": ("vitals", each_with(valueQuantity=None, valueString=MARKER), HEART),
    "a note's date as a number": ("notes", each_with(date=20261124), NOTED),
    "a text for the content": ("notes", each_with(content=MARKER), NOTED),
    "another size than stated": ("notes", rewritten(b'"size":19', b'"size":"20"'), NOTED),
    "a note on another server": ("notes", rewritten(LINE, b'"url":"http://127.0.0.2:9/Binary'), NOTED),
    "a note in the file system": ("notes", rewritten(LINE, b'"url":"file:///etc'), NOTED),
    "the note of another patient": ("binary", always("200 OK", MARKER.encode(), kind="text/plain"), NOTED),
    "bytes of no characters": ("binary", always("200 OK", b"\xff\xfd", kind="text/plain; charset=utf-8"), NOTED),
    "broken base64": ("binary", always("200 OK", BROKEN, kind=FHIR_JSON), NOTED),
    "a study's date as a number": ("imaging", each_with(started=20261124), FILMED),
    "a text for the identifier": ("imaging", each_with(identifier=MARKER), FILMED),
    "an address as a number": ("endpoint", at(5), FILMED),
    "an archive that is not allowed": ("endpoint", at("http://127.0.0.2:9"), FILMED),
    "an archive in the file system": ("endpoint", at(f"file:///{MARKER}"), FILMED),
    "another film": ("film", part_of(dicom_file(SOPInstanceUID="1.2.9")), FILMED),
    "half a film": ("film", part_of(dicom_file()[:3000]), FILMED),
    "no film": ("film", part_of(MARKER.encode()), FILMED),
    "a film that says it is huge": ("film", part_of(dicom_file(Rows=60_000, Columns=60_000)), FILMED),
}
"""The place, what spoils its content, and what is lost by it."""
IMPLAUSIBLE: Final[Mapping[str, Spoil]] = {
    "more than anybody has": value_of(1e300),
    "less than nothing": value_of(-148),
    "in ten years": each_with(effectiveDateTime="2036-11-24"),
}


@pytest.mark.parametrize("fault", UNREADABLE)
async def test_content_of_another_kind_is_a_gap(fault: str, read_spoiled: ReadSpoiled) -> None:
    """What is not of the kind that FHIR prescribes is never guessed at: numbers as text least of all."""
    name, spoil, lost = UNREADABLE[fault]

    outcome = await read_spoiled({name: spoil})

    assert (outcome.error, outcome.pieces) == (None, without(*lost))
    assert (outcome.reasons, outcome.quoted) == ({(PLACES[name].modality, GapReason.UNREADABLE)}, [])


@pytest.mark.parametrize("fault", IMPLAUSIBLE)
async def test_value_that_cannot_be_meant_is_a_gap(fault: str, read_spoiled: ReadSpoiled) -> None:
    """A number that no living patient has, or a day that has not come, is left out and told."""
    outcome = await read_spoiled({"vitals": IMPLAUSIBLE[fault]})

    assert (outcome.error, outcome.pieces) == (None, without(*HEART))
    assert (outcome.reasons, outcome.quoted) == ({("structured", GapReason.IMPLAUSIBLE)}, [])


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
