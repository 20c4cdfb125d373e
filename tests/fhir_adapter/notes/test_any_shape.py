"""Resources in which one element, anywhere, is something else than FHIR says."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from fhir_adapter.notes.documents import read_notes
from tests.fhir_adapter.builders import Json, attachment, document, soon
from tests.fhir_adapter.deidentify.samples import EMMA
from tests.fhir_adapter.notes.samples import coded, report

JUNK: tuple[Any, ...] = (None, 5, "", "x", [], {}, [None], [[]], {"x": 1}, True)
FULL = document(
    attachment("Cough.", size=6, hash="eA==", creation="2026-11-24"),
    docStatus="final",
    identifier=[{"system": "urn:x", "value": "7"}],
    category=[coded("clinical-note")],
    context={"period": {"start": "2026-11-23", "end": "2026-11-25"}},
    relatesTo=[{"code": "replaces", "target": {"reference": "DocumentReference/0", "identifier": {"value": "1"}}}],
    author=[{"reference": "Practitioner/1"}],
)
REPORT = report(presentedForm=[attachment("Clear.")], contained=[{"resourceType": "Device", "id": "d"}])


def places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every element."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield (*path, step)
        yield from places(inner, (*path, step))


def changed(resource: Json, path: tuple[str | int, ...]) -> Iterator[Json]:
    """Yield the resource with junk in one place."""
    for junk in JUNK:
        copy: Any = deepcopy(resource)
        holder = copy
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = junk
        yield copy


@pytest.mark.parametrize("path", list(places(FULL)), ids=str)
async def test_documents_of_any_shape_are_taken(path: tuple[str | int, ...]) -> None:
    """Whatever stands in an element of a document, the sound one beside it is read."""
    sound = document(attachment("Fever."), id="sound")

    for broken in changed(FULL, path):
        notes, _ = await read_notes([broken, sound], [], EMMA, None, soon())

        assert "Fever." in [note.text for note in notes]


@pytest.mark.parametrize("path", list(places(REPORT)), ids=str)
async def test_reports_of_any_shape_are_taken(path: tuple[str | int, ...]) -> None:
    """Whatever stands in an element of a report, the sound one beside it is read."""
    sound = report(id="sound", conclusion="Fever.")

    for broken in changed(REPORT, path):
        notes, _ = await read_notes([], [broken, sound], EMMA, None, soon())

        assert "Fever." in [note.text for note in notes]


@pytest.mark.parametrize("path", list(places(EMMA)), ids=str)
async def test_patients_of_any_shape_are_taken(path: tuple[str | int, ...]) -> None:
    """Whatever stands in an element of the Patient, the notes are read."""
    for broken in changed(EMMA, path):
        notes, _ = await read_notes([document(attachment("Fever."))], [], broken, None, soon())

        assert len(notes) == 1
