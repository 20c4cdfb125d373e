"""Media and DocumentReference -> the newest picture that says it is a frontal chest radiograph.

R4 and R4B keep pictures in Media, R5 in DocumentReference. Whose they are was checked when they were collected.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fhir_adapter.attachments import CHANGED, decode_base64, is_whole
from fhir_adapter.chart import Chart
from fhir_adapter.dates import read_moment, read_period
from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import FhirError, ImageUnreadable
from fhir_adapter.gaps import gap_of, merge_gaps
from fhir_adapter.images.choice import RADIOGRAPHY, Facts, shows_chest, why_not
from fhir_adapter.images.codes import codes_in, words_in
from fhir_adapter.images.retrieval import in_thread
from fhir_adapter.media_types import media_type
from fhir_adapter.record import Film, Gap, GapReason
from fhir_adapter.references import source_of
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.shape import Resource, as_dict, as_text, dicts_of

MAX_TRIES: Final = 3
_ITEM: Final = "photographed radiograph"
_DICOM: Final = "application/dicom"
_PICTURES: Final = frozenset({"image/png", "image/jpeg", "image/jpg"})
_MAX_BYTES: Final = 32 * 2**20
_CHEST_RADIOGRAPH: Final = frozenset({"36643-5", "36554-4", "30745-4", "36572-6", "399208008"})
"""LOINC XR Chest (2 views, single view, views, AP); SNOMED CT plain chest X-ray."""
_RADIOGRAPH_WORDS: Final = re.compile(r"x-?ray|radiogra|r(?:ö|oe|o)ntgen|\bcxr\b|\bxr\b", re.IGNORECASE)
_CHEST_FILM_WORDS: Final = re.compile(r"\bcxr\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Picture:
    """One attachment, dated, with what its resource says of it."""

    resource: Resource
    attachment: Resource
    kind: str
    taken_at: datetime
    codes: tuple[str, ...]
    words: str


class _Unusable(Exception):
    """Why a picture is passed over."""

    def __init__(self, gap: Gap) -> None:
        super().__init__(gap.detail)
        self.gap = gap


async def read_attached(
    chart: Chart, client: FhirClient | None, deadline: Deadline
) -> tuple[Film | None, tuple[Gap, ...]]:
    """Read the newest picture of the chest that can be shown, and the gaps of newer ones that could not."""
    found = [*_of_media(chart.media), *_of_documents(chart.documents)]
    found.sort(key=lambda picture: picture.taken_at, reverse=True)
    patient_id = as_text(chart.patient.get("id"))
    gaps: list[Gap] = []
    for picture in found[:MAX_TRIES]:
        try:
            return await _read(picture, client, deadline, patient_id), merge_gaps(tuple(gaps))
        except _Unusable as unusable:
            gaps.append(unusable.gap)
        except ImageUnreadable as error:
            gaps.append(_gap(GapReason.UNREADABLE, error.problem))
        except FhirError as error:
            gaps.append(gap_of(error, "image", _ITEM))
    return None, merge_gaps(tuple(gaps))


def _of_media(media: tuple[Resource, ...]) -> Iterator[_Picture]:
    for resource in media:
        if resource.get("status") != "completed":
            continue
        taken_at = (
            read_moment(resource.get("createdDateTime"))
            or read_period(resource.get("createdPeriod"))
            or read_moment(resource.get("issued"))
        )
        said = [resource.get(name) for name in ("type", "modality", "view", "bodySite", "reasonCode")]
        texts = [as_text(note.get("text")) for note in dicts_of(resource.get("note"))]
        yield from _pictures(resource, [resource.get("content")], taken_at, said, texts)


def _of_documents(documents: tuple[Resource, ...]) -> Iterator[_Picture]:
    for resource in documents:
        if resource.get("status") != "current" or resource.get("docStatus") == "entered-in-error":
            continue
        taken_at = read_period(as_dict(resource.get("context")).get("period")) or read_moment(resource.get("date"))
        said = [resource.get(name) for name in ("type", "category", "modality", "bodySite")]
        attachments = [content.get("attachment") for content in dicts_of(resource.get("content"))]
        yield from _pictures(resource, attachments, taken_at, said, [as_text(resource.get("description"))])


def _pictures(
    resource: Resource, attachments: list[object], taken_at: datetime | None, said: list[object], texts: list[str]
) -> Iterator[_Picture]:
    for attachment in map(as_dict, attachments):
        kind = media_type(as_text(attachment.get("contentType")))
        when = taken_at or read_moment(attachment.get("creation"))
        # A document without a date is told by the reader of notes; here it cannot be placed among the others.
        if when is not None and (kind == _DICOM or kind.startswith("image/")):
            codes = tuple(code for each in said for code in codes_in(each))
            words = " ".join([*(words_in(each) for each in said), *texts, as_text(attachment.get("title"))])
            yield _Picture(resource, attachment, kind, when, codes, words)


async def _read(picture: _Picture, client: FhirClient | None, deadline: Deadline, patient_id: str) -> Film:
    """Read one picture.

    Raises:
        _Unusable, ImageUnreadable, FhirError: it is passed over.
    """
    if picture.kind != _DICOM:
        if not _is_chest_radiograph(picture):
            raise _Unusable(_gap(GapReason.MISSING, "a picture on file does not say that it is a chest radiograph"))
        if picture.kind not in _PICTURES:
            raise _Unusable(_gap(GapReason.UNREADABLE, "its file format is not read here"))
    rule = why_not(Facts(words=picture.words), of_file=True)
    if rule is not None:
        raise _Unusable(_gap(GapReason.MISSING, rule.of_file))
    data = await _load(picture.attachment, client, deadline, patient_id)
    return await in_thread(lambda: _film_of(picture, data), deadline)


def _film_of(picture: _Picture, data: bytes) -> Film:
    if not is_whole(data, picture.attachment):
        raise _Unusable(_gap(GapReason.UNREADABLE, CHANGED))
    return _from_dicom(picture, data) if picture.kind == _DICOM else _from_picture(picture, data)


def _is_chest_radiograph(picture: _Picture) -> bool:
    if _CHEST_RADIOGRAPH & set(picture.codes) or _CHEST_FILM_WORDS.search(picture.words):
        return True
    radiograph = bool(RADIOGRAPHY & set(picture.codes)) or bool(_RADIOGRAPH_WORDS.search(picture.words))
    return radiograph and shows_chest((*picture.codes, picture.words))


def _from_picture(picture: _Picture, data: bytes) -> Film:
    from fhir_adapter.images.lettering import find_lettering, paint_over  # noqa: PLC0415  # see retrieval
    from fhir_adapter.images.pictures import decode_picture  # noqa: PLC0415

    pixels = decode_picture(data)
    boxes = find_lettering(pixels)
    source = source_of(picture.resource)
    return Film(paint_over(pixels, boxes), "", "", "", picture.taken_at, source, blanked=len(boxes))


def _from_dicom(picture: _Picture, data: bytes) -> Film:
    from fhir_adapter.images.dicom import decode_film  # noqa: PLC0415  # see retrieval
    from fhir_adapter.images.retrieval import without_lettering  # noqa: PLC0415

    found = without_lettering(decode_film(data))
    film = found.film
    rule = why_not(film.facts, of_file=True)
    if rule is not None:
        raise _Unusable(_gap(GapReason.MISSING, rule.of_file))
    radiograph = film.modality in RADIOGRAPHY or _is_chest_radiograph(picture)
    chest = shows_chest((film.body_part,)) or (not film.body_part and shows_chest((*picture.codes, picture.words)))
    if not (radiograph and chest):
        raise _Unusable(_gap(GapReason.MISSING, "a picture on file does not say that it is a chest radiograph"))
    taken_at = film.acquired_at or picture.taken_at
    source = source_of(picture.resource)
    return Film(
        film.pixels, film.view, film.modality, film.body_part, taken_at, source, film.file, blanked=found.blanked
    )


async def _load(attachment: Resource, client: FhirClient | None, deadline: Deadline, patient_id: str) -> bytes:
    """Return the bytes of an attachment (R4 Attachment: `data`, else `url`)."""
    data, url = as_text(attachment.get("data")), as_text(attachment.get("url"))
    if data:
        if len(data) > 2 * _MAX_BYTES:
            raise _Unusable(_gap(GapReason.UNREADABLE, "its file is larger than a film's"))
        try:
            return decode_base64(data)
        except ValueError as error:
            raise _Unusable(_gap(GapReason.UNREADABLE, str(error))) from None
    if not url:
        raise _Unusable(_gap(GapReason.UNREADABLE, "it has no content"))
    if client is None:
        raise _Unusable(_gap(GapReason.NO_ACCESS, "it lies on the FHIR server"))
    body, _ = await client.fetch_binary(url, deadline, patient_id=patient_id)
    return body


def _gap(reason: GapReason, detail: str) -> Gap:
    return Gap("image", _ITEM, reason, detail)
