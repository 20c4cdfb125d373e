"""Case -> FHIR R4 DocumentReferences, with a Binary where the note is kept outside."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime, timedelta
from typing import Any, Final

from cds_hooks.sandbox.cases import Case, NoteRow
from cds_hooks.sandbox.codes import LOINC

Resource = dict[str, Any]
PLAIN_TEXT: Final = "text/plain; charset=utf-8"
CATEGORY: Final = "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category"


def documents(case: Case, now: datetime) -> list[Resource]:
    """Return the notes of a case, each Binary before the document that points to it."""
    made: list[Resource] = []
    for number, note in enumerate(case.notes, 1):
        data = "\n".join(note.text).encode()
        attachment = _attachment(note, data)
        if note.through == "binary":
            binary = _binary(case, f"{case.id}-b{number}", data)
            attachment["url"] = f"Binary/{binary['id']}"
            made.append(binary)
        else:
            attachment["data"] = base64.b64encode(data).decode()
        made.append(_document(case, note, number, now, attachment))
    return made


def _document(case: Case, note: NoteRow, number: int, now: datetime, attachment: Resource) -> Resource:
    """Return the DocumentReference of one note."""
    kind = {"system": LOINC, "code": "34111-5", "display": "Emergency department Note"}
    return {
        "resourceType": "DocumentReference",
        "id": f"{case.id}-n{number}",
        "status": "current",
        "docStatus": "final",
        "type": {"coding": [kind], "text": note.title},
        "category": [{"coding": [{"system": CATEGORY, "code": "clinical-note"}]}],
        "subject": {"reference": f"Patient/{case.id}"},
        "date": (now - timedelta(minutes=note.minutes_ago)).isoformat(),
        "content": [{"attachment": attachment}],
    }


def _attachment(note: NoteRow, data: bytes) -> Resource:
    """Return the Attachment without its content; `hash` is SHA-1, as FHIR R4 wants it."""
    digest = hashlib.sha1(data, usedforsecurity=False).digest()
    return {
        "contentType": PLAIN_TEXT,
        "language": "en",
        "title": note.title,
        "size": len(data),
        "hash": base64.b64encode(digest).decode(),
    }


def _binary(case: Case, name: str, data: bytes) -> Resource:
    """Return the Binary that holds a note."""
    return {
        "resourceType": "Binary",
        "id": name,
        "contentType": PLAIN_TEXT,
        "securityContext": {"reference": f"Patient/{case.id}"},
        "data": base64.b64encode(data).decode(),
    }
