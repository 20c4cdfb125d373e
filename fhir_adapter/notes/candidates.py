"""What may become a note: one document or report with its date, its title, and where its text is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fhir_adapter.notes.forms import is_readable, rank
from fhir_adapter.record import NoteKind
from fhir_adapter.shape import Resource, as_dict, as_text, dicts_of


@dataclass(frozen=True, slots=True)
class Candidate:
    """A dated document or report.

    Attributes:
        item: what it is called in a gap.
        attachments: where its text is, the best readable form first.
        text: what the resource itself says; then no attachment is read.
    """

    resource: Resource
    kind: NoteKind
    item: str
    title: str
    written_at: datetime
    attachments: tuple[Resource, ...]
    text: str = ""


def readable(attachments: list[Resource]) -> tuple[Resource, ...]:
    """Return the attachments that a reader can read, best form first; what is of no known type comes last."""
    found = [each for each in attachments if is_readable(as_text(each.get("contentType")))]
    with_content = [each for each in found if as_text(each.get("contentType")) or each.get("data") or each.get("url")]
    return tuple(sorted(with_content, key=lambda each: rank(as_text(each.get("contentType")))))


def title_of(concept: object, otherwise: str) -> str:
    """Return the text or the first display of a CodeableConcept."""
    kind = as_dict(concept)
    display = next((as_text(coding.get("display")) for coding in dicts_of(kind.get("coding"))), "")
    return as_text(kind.get("text")) or display or otherwise
