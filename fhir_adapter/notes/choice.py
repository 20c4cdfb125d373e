"""DocumentReferences (R4, R4B, R5) -> those that are current clinical notes, each dated, newest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from fhir_adapter.dates import read_moment, read_period
from fhir_adapter.notes.candidates import Candidate, readable, title_of
from fhir_adapter.notes.machine import is_by_machine
from fhir_adapter.record import NoteKind
from fhir_adapter.references import split_reference
from fhir_adapter.shape import Resource, as_dict, as_text, codes_of, dicts_of

ITEM: Final = "clinical note"
_WITHDRAWN: Final = frozenset({"entered-in-error", "cancelled", "deprecated"})
_NO_NOTES: Final = frozenset(
    {"59284-0", "59283-2", "57016-8", "57017-6", "64292-6"}  # consents
    | {"64290-0", "64289-2", "52034-6", "52033-8", "51852-2"}  # insurance card, form, letters
    | {"42348-3", "81334-5", "75320-2", "86533-7"}  # advance directives
    | {"53242-4", "53243-2", "53244-0", "53245-7"}  # charges
    | {"72170-4", "55107-7", "55113-5"}  # pictures, addendum of a form, key images
)
"""LOINC document types that are no clinical notes."""
_PICTURES: Final = ("image/", "audio/", "video/", "application/dicom", "model/")
_CLINICAL: Final = "clinical-note"
"""Code of the US Core category of clinical notes."""


def choose_documents(documents: Sequence[Resource]) -> tuple[list[Candidate], list[Resource], list[Resource]]:
    """Return the dated notes newest first, what is not dated, and notes that are only a picture.

    What is withdrawn, replaced by another document at hand, of a type that is no note, or an algorithm's is left out.
    """
    current = [one for one in documents if _is_current(one) and not is_by_machine(one) and not _is_no_note(one)]
    names = _by_name(current)
    replaced = {id(target) for one in current for target in _targets(one, names, "replaces") if target is not one}
    # Documents that replace each other in a ring are broken data, and no reason to read none.
    left = [one for one in current if id(one) not in replaced] or current
    pictures = [one for one in left if _is_picture(one)]
    notes = [one for one in left if not any(one is picture for picture in pictures)]
    dated = [(one, moment) for one in notes if (moment := clinical_date(one)) is not None]
    added = {id(one) for one in left if any(target is not one for target in _targets(one, names, "appends"))}
    # Of two of one moment the one filed last stands first.
    dated.sort(key=lambda pair: (id(pair[0]) not in added, pair[1], as_text(pair[0].get("date"))), reverse=True)
    found = [_candidate(one, moment, addendum=id(one) in added) for one, moment in dated]
    undated = [one for one in notes if clinical_date(one) is None]
    return found, undated, [one for one in pictures if _is_clinical(one)]


def clinical_date(document: Resource) -> datetime | None:
    """Return the moment that a document tells of, or None where it has none.

    That is its `date`, but not after the end of the service that it documents (`context.period`; `period` in R5): a
    letter of last year that was filed today is of last year. Without a date: the period, the time the attachment was
    made, the last change of the resource.
    """
    period = as_dict(document.get("period")) or as_dict(as_dict(document.get("context")).get("period"))
    filed, ended = read_moment(document.get("date")), read_moment(period.get("end"))
    if filed is not None:
        return filed if ended is None else min(filed, ended)
    made = (read_moment(attachment.get("creation")) for attachment in attachments_of(document))
    return (
        read_period(period)
        or next((moment for moment in made if moment is not None), None)
        or read_moment(as_dict(document.get("meta")).get("lastUpdated"))
    )


def attachments_of(document: Resource) -> list[Resource]:
    """Return what holds the text of a document."""
    return [as_dict(content.get("attachment")) for content in dicts_of(document.get("content"))]


def _is_current(document: Resource) -> bool:
    # `status` is about the reference, `docStatus` about the document. A preliminary note is what a clinician has.
    return document.get("status") == "current" and as_text(document.get("docStatus")) not in _WITHDRAWN


def _is_no_note(document: Resource) -> bool:
    concepts = [document.get("type"), *dicts_of(document.get("category"))]
    return any(code in _NO_NOTES for concept in concepts for _, code in codes_of(concept))


def _is_picture(document: Resource) -> bool:
    types = [as_text(one.get("contentType")).lower() for one in attachments_of(document)]
    return bool(types) and all(kind.startswith(_PICTURES) for kind in types)


def _is_clinical(document: Resource) -> bool:
    return any(code == _CLINICAL for concept in dicts_of(document.get("category")) for _, code in codes_of(concept))


def _candidate(document: Resource, moment: datetime, *, addendum: bool) -> Candidate:
    title = title_of(document.get("type"), as_text(document.get("description")) or "Clinical note")
    kind: NoteKind = "addendum" if addendum else "note"
    return Candidate(document, kind, ITEM, title, moment, readable(attachments_of(document)))


def _by_name(documents: Sequence[Resource]) -> dict[str, Resource]:
    """Return the documents by what a reference may call them: their id or a business identifier."""
    return {name: one for one in documents for name in _names(one)}


def _names(document: Resource) -> Iterator[str]:
    if own := as_text(document.get("id")):
        yield own
    for one in (as_dict(document.get("masterIdentifier")), *dicts_of(document.get("identifier"))):
        if value := as_text(one.get("value")):
            yield f"{as_text(one.get('system'))}|{value}"


def _targets(document: Resource, names: dict[str, Resource], code: str) -> Iterator[Resource]:
    """Yield the documents at hand that this one `replaces` or `appends` (R4 code, R5 CodeableConcept)."""
    for relation in dicts_of(document.get("relatesTo")):
        stated = relation.get("code")
        if code not in (stated, *(one for _, one in codes_of(stated))):
            continue
        target = as_dict(relation.get("target"))
        parts = split_reference(as_text(target.get("reference")))
        other = as_dict(target.get("identifier"))
        for name in (parts[1] if parts else "", f"{as_text(other.get('system'))}|{as_text(other.get('value'))}"):
            if name in names:
                yield names[name]
