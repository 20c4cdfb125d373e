"""DocumentReference -> Note: plain text, newest first; what cannot be read becomes a gap."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fhir_adapter.dates import read_moment, read_period
from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import FhirError
from fhir_adapter.gaps import gap_of, merge_gaps
from fhir_adapter.notes.plaintext import MAX_BYTES, MAX_CHARS, is_text, media_type, to_text
from fhir_adapter.record import Gap, GapReason, Note
from fhir_adapter.references import source_of
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.shape import Resource, as_dict, as_text, dicts_of

MAX_NOTES: Final = 10
"""Only the newest are read: the model takes one, and each may cost a request."""
_ITEM: Final = "clinical note"


@dataclass(frozen=True, slots=True)
class _Document:
    """A dated document and what holds its text, the best readable form first."""

    resource: Resource
    written_at: datetime
    attachments: tuple[Resource, ...]


async def read_notes(
    documents: Sequence[Resource], client: FhirClient | None, deadline: Deadline
) -> tuple[tuple[Note, ...], tuple[Gap, ...]]:
    """Read the newest notes; texts that lie in a Binary are fetched together.

    Documents that are not current or were entered in error are left out without a gap.
    """
    current = [document for document in documents if _is_current(document)]
    dated = [found for document in current if (found := _open(document)) is not None]
    dated.sort(key=lambda document: (document.written_at, str(document.resource.get("id"))), reverse=True)
    undated = len(dated) < len(current)
    results = await asyncio.gather(*(_read(document, client, deadline) for document in dated[:MAX_NOTES]))
    notes = tuple(result[0] for result in results if result[0] is not None)
    gaps = merge_gaps(*(result[1] for result in results))
    return notes, gaps + ((_gap("it is not dated"),) if undated else ())


def _is_current(document: Resource) -> bool:
    # R4 DocumentReference.status is about the reference, docStatus about the document.
    return document.get("status") == "current" and document.get("docStatus") != "entered-in-error"


def _open(document: Resource) -> _Document | None:
    attachments = [as_dict(content.get("attachment")) for content in dicts_of(document.get("content"))]
    written_at = (
        read_moment(document.get("date"))
        or read_period(as_dict(document.get("context")).get("period"))
        or next((moment for each in attachments if (moment := read_moment(each.get("creation")))), None)
        or read_moment(as_dict(document.get("meta")).get("lastUpdated"))
    )
    if written_at is None:
        return None
    readable = [each for each in attachments if is_text(as_text(each.get("contentType")))]
    # A page's text loses its layout, so plain text comes first.
    readable.sort(key=lambda each: media_type(as_text(each.get("contentType"))) != "text/plain")
    return _Document(document, written_at, tuple(readable))


async def _read(
    document: _Document, client: FhirClient | None, deadline: Deadline
) -> tuple[Note | None, tuple[Gap, ...]]:
    """Read the first attachment that can be read; the gap is that of the best form."""
    failed: list[Gap] = []
    for attachment in document.attachments:
        if client is None and not attachment.get("data"):
            failed.append(Gap("text", _ITEM, GapReason.NO_ACCESS, "its text lies on the FHIR server"))
            continue
        try:
            data, content_type = await _load(attachment, client, deadline)
            text = await asyncio.to_thread(to_text, data, content_type)
        except FhirError as error:
            failed.append(gap_of(error, "text", _ITEM))
        except ValueError as error:
            failed.append(_gap(str(error)))
        else:
            if text:
                return _note(document, text), _cut(text)
            failed.append(_gap("it is empty"))
    return None, tuple(failed[:1]) or (_gap("it is neither plain text nor HTML"),)


async def _load(attachment: Resource, client: FhirClient | None, deadline: Deadline) -> tuple[bytes, str]:
    """Return the bytes of an attachment and their content type (R4 Attachment: `data`, else `url`).

    Raises:
        ValueError: nothing readable is there; the message is for the clinician.
        FhirError: fetching it failed.
    """
    stated = as_text(attachment.get("contentType"))
    data, url = as_text(attachment.get("data")), as_text(attachment.get("url"))
    if data:
        if len(data) > 2 * MAX_BYTES:
            raise ValueError("it is too long")
        return _decode(data), stated
    if not url or client is None:
        raise ValueError("it has no content")
    body, served = await client.fetch_binary(url, deadline)
    # A log-in page in place of the note would be read as the note.
    if media_type(served) not in (media_type(stated), "application/octet-stream", ""):
        raise ValueError("the server sent another kind of content than the reference names")
    # The server knows the character set, the reference often does not.
    return body, served if media_type(served) == media_type(stated) else stated


def _decode(data: str) -> bytes:
    try:
        return base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        # A non-ASCII character raises a ValueError that quotes the text.
        raise ValueError("its base64 is broken") from None


def _note(document: _Document, text: str) -> Note:
    return Note(text[:MAX_CHARS], _title(document.resource), document.written_at, source_of(document.resource))


def _title(document: Resource) -> str:
    kind = as_dict(document.get("type"))
    display = next((as_text(coding.get("display")) for coding in dicts_of(kind.get("coding"))), "")
    return as_text(kind.get("text")) or display or as_text(document.get("description")) or "Clinical note"


def _cut(text: str) -> tuple[Gap, ...]:
    too_long = len(text) > MAX_CHARS
    return (Gap("text", _ITEM, GapReason.INCOMPLETE, "only its beginning was read"),) if too_long else ()


def _gap(detail: str) -> Gap:
    return Gap("text", _ITEM, GapReason.UNREADABLE, detail)
