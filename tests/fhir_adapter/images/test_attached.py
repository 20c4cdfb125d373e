import base64
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fhir_adapter.chart import Chart
from fhir_adapter.images.attached import read_attached
from fhir_adapter.record import GapReason
from fhir_adapter.rest.client import FhirClient
from tests.fhir_adapter.builders import (
    FakeFhir,
    Json,
    answer,
    client_of,
    dicom_file,
    document,
    patient,
    ramp,
    soon,
)

CHEST_X_RAY = {"coding": [{"system": "http://loinc.org", "code": "36554-4"}]}


def png() -> bytes:
    buffer = BytesIO()
    Image.fromarray(ramp(255, "uint8").astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def content(data: bytes | None = None, kind: str = "image/png", **changes: Any) -> Json:
    return {"contentType": kind, "data": base64.b64encode(png() if data is None else data).decode(), **changes}


def media(**changes: Any) -> Json:
    return {
        "resourceType": "Media",
        "id": "m1",
        "meta": {"versionId": "1"},
        "status": "completed",
        "createdDateTime": "2026-11-24T08:00:00Z",
        "modality": {"coding": [{"code": "CR"}]},
        "bodySite": {"coding": [{"code": "51185008"}]},
        "content": content(),
        **changes,
    }


def chart(*pictures: Json, documents: tuple[Json, ...] = ()) -> Chart:
    return Chart(patient(), media=pictures, documents=documents)


async def test_picture_in_media_is_the_film() -> None:
    """A PNG in Media becomes a film of unknown view, with its date and source, that lies in no archive."""
    film, gaps = await read_attached(chart(media()), None, soon())

    assert film is not None
    assert (film.view, film.modality, film.body_part, film.file, gaps) == ("", "", "", None, ())
    assert (film.acquired_at.isoformat(), str(film.source)) == ("2026-11-24T08:00:00+00:00", "Media/m1/_history/1")


@pytest.mark.parametrize(
    "stated",
    [
        {"type": CHEST_X_RAY},
        {"type": {"coding": [{"code": "399208008"}]}},
        {"type": {"text": "Chest X-ray"}},
        {"category": [{"text": "Röntgen"}], "description": "Thorax p.a."},
        {"description": "CXR"},
        {"modality": [{"coding": [{"code": "DX"}]}], "bodySite": [{"concept": {"coding": [{"display": "Chest"}]}}]},
    ],
    ids=["LOINC", "SNOMED CT", "text", "category and description", "short", "R5"],
)
async def test_document_that_holds_a_chest_radiograph_is_one(stated: Json) -> None:
    """R5 keeps pictures in DocumentReference, which says by type, category, modality, site or words what they are."""
    film, gaps = await read_attached(chart(documents=(document(content(), **{"type": None, **stated}),)), None, soon())

    assert (film is not None, gaps) == (True, ())


@pytest.mark.parametrize(
    ("stated", "detail"),
    [
        ({"modality": None, "bodySite": None}, "does not say that it is a chest radiograph"),
        ({"bodySite": {"text": "left hand"}}, "does not say that it is a chest radiograph"),
        ({"modality": {"text": "photo"}}, "does not say that it is a chest radiograph"),
        ({"view": {"text": "lateral"}}, "lateral or oblique"),
        ({"type": {"text": "Chest X-ray report"}}, "a report"),
        ({"content": content(kind="image/gif")}, "file format"),
        ({"content": content(b"no picture")}, "damaged or of an unknown kind"),
        ({"content": content() | {"data": "%%%"}}, "base64"),
        ({"content": content(size=5)}, "changed or cut"),
        ({"content": content(hash="ab" * 20)}, "changed or cut"),
        ({"content": {"contentType": "image/png"}}, "no content"),
        ({"content": {"contentType": "image/png", "url": "Binary/b1"}}, "lies on the FHIR server"),
    ],
)
async def test_picture_that_is_no_frontal_chest_film_is_a_gap(stated: Json, detail: str) -> None:
    """A wound, a hand, a lateral view, a report page or a broken file is passed over, and said to be."""
    film, (gap,) = await read_attached(chart(media(**stated)), None, soon())

    assert film is None
    assert detail in gap.detail


@pytest.mark.parametrize(
    "changes", [{"status": "entered-in-error"}, {"status": "preparation"}, {"createdDateTime": None}]
)
async def test_media_that_is_not_finished_or_dated_is_left_out(changes: Json) -> None:
    """What was entered in error, is not there yet, or has no date is not looked at."""
    assert await read_attached(chart(media(**changes)), None, soon()) == (None, ())


@pytest.mark.parametrize("changes", [{"status": "superseded"}, {"docStatus": "entered-in-error"}])
async def test_document_that_is_not_current_is_left_out(changes: Json) -> None:
    """As for notes."""
    documents = (document(content(), **{"type": CHEST_X_RAY, **changes}),)

    assert await read_attached(chart(documents=documents), None, soon()) == (None, ())


async def test_newest_picture_is_used_and_a_newer_broken_one_is_told() -> None:
    """Newest first; what was newer and could not be used is a gap."""
    broken = media(id="m2", createdDateTime="2026-11-25", content=content(b"x"))

    film, (gap,) = await read_attached(chart(media(), broken), None, soon())

    assert film is not None
    assert (film.source.reference, gap.reason) == ("Media/m1", GapReason.UNREADABLE)


def server(body: bytes, kind: str) -> FhirClient:
    return client_of(FakeFhir({"Binary/b1": answer(body, content_type=kind)}))


async def test_picture_in_a_binary_is_fetched() -> None:
    """What lies in a Binary comes through the FHIR client."""
    linked = media(content={"contentType": "image/png", "url": "Binary/b1"})

    film, gaps = await read_attached(chart(linked), server(png(), "image/png"), soon())

    assert (film is not None, gaps) == (True, ())


async def test_picture_that_was_cut_in_a_binary_is_a_gap() -> None:
    """A part of a picture, which some formats show as grey below, is not taken for the picture."""
    linked = media(content={"contentType": "image/png", "url": "Binary/b1", "size": str(len(png()))})

    film, (gap,) = await read_attached(chart(linked), server(png()[:-1], "image/png"), soon())

    assert (film, gap.reason, gap.detail) == (None, GapReason.UNREADABLE, "it was changed or cut on the way")


async def test_picture_in_a_binary_of_another_patient_is_a_gap() -> None:
    """A Binary whose rights are those to somebody else is discarded."""
    linked = media(content={"contentType": "image/png", "url": "Binary/b1"})
    theirs = {"reference": "Patient/child-2"}
    binary = {"resourceType": "Binary", "contentType": "image/png", "securityContext": theirs, **content()}

    film, (gap,) = await read_attached(chart(linked), client_of(FakeFhir({"Binary/b1": binary})), soon())

    assert (film, gap.reason) == (None, GapReason.FAILED)
    assert "somebody else" in gap.detail


async def test_dicom_in_media_says_itself_what_it_is() -> None:
    """A DICOM file needs no words beside it: its header has view, modality, body part and identity."""
    silent = media(modality=None, bodySite=None, content=content(dicom_file(), "application/dicom"))

    film, _ = await read_attached(chart(silent), None, soon())

    assert film is not None
    assert (film.view, film.body_part, film.file is not None) == ("AP", "CHEST", True)


@pytest.mark.parametrize(
    ("elements", "detail"),
    [
        ({"BodyPartExamined": "HAND"}, "does not say"),
        ({"Modality": "CT"}, "does not say"),
        ({"ViewPosition": "LL"}, "lateral"),
        ({"PresentationIntentType": "FOR PROCESSING"}, "raw picture"),
    ],
)
async def test_dicom_of_something_else_is_a_gap(elements: Json, detail: str) -> None:
    """The header decides."""
    wrong = media(modality=None, bodySite=None, content=content(dicom_file(**elements), "application/dicom"))

    film, (gap,) = await read_attached(chart(wrong), None, soon())

    assert film is None
    assert detail in gap.detail
