"""A note that the explanation shows -> whether the DocumentReference it names holds these words."""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from explain.check.problems import Problem
from explain.check.resources import Chart, Resource, dicts, inner, moment, moment_of_period
from explain.evidence import NoteEvidence

NOTE: Final = "note"
CUT_AT: Final = 100_000
"""Characters after which a record's note is cut."""
_TAG: Final = re.compile(r"<(script|style|title|template|svg)\b.*?</\1\s*>|<!--.*?-->|</?[a-z!?][^>]*>", re.S | re.I)
_UNSEEN: Final = re.compile("[\x00-\x1f\x7f\ufeff\\s]+")


def check_note(note: NoteEvidence, chart: Chart) -> Iterator[Problem]:
    """Yield why a note cannot be traced: the resource, its text, or its time."""
    yield from chart.problems(NOTE, note.source)
    resource = chart.get(note.source)
    if resource is None:
        return
    attachments = [inner(content, "attachment") for content in dicts(resource.get("content"))]
    if not any(_holds(attachment, note.text, chart) for attachment in attachments):
        yield Problem("value", NOTE, note.source)
    if note.written_at != _written_at(resource, attachments):
        yield Problem("time", NOTE, note.source)


def _written_at(resource: Resource, attachments: list[Resource]) -> datetime | None:
    made = (moment(attachment.get("creation")) for attachment in attachments)
    return (
        moment(resource.get("date"))
        or moment_of_period(inner(resource, "context").get("period"))
        or next(filter(None, made), None)
        or moment(inner(resource, "meta").get("lastUpdated"))
    )


def _holds(attachment: Resource, text: str, chart: Chart) -> bool:
    """Compare letter by letter; blanks and line breaks are a matter of layout, in markup not even between words."""
    kind = str(attachment.get("contentType", ""))
    data = _bytes(attachment, chart)
    if data is None:
        return False
    written = _decoded(data, kind)
    if "html" in kind:
        return _squeezed(html.unescape(_TAG.sub(" ", written)), "")[: len(_squeezed(text, ""))] == _squeezed(text, "")
    whole = _squeezed(written, " ")
    return whole == _squeezed(text, " ") or (len(text) >= CUT_AT and whole.startswith(_squeezed(text, " ")))


def _bytes(attachment: Resource, chart: Chart) -> bytes | None:
    """Return the content, inline or from the Binary that the attachment points to."""
    data, url = attachment.get("data"), attachment.get("url")
    if not data and isinstance(url, str):
        binary = chart.get("/".join(url.rsplit("/", 2)[-2:]))
        data = (binary or {}).get("data")
    try:
        return base64.b64decode("".join(data.split())) if isinstance(data, str) else None
    except (binascii.Error, ValueError):
        return None


def _decoded(data: bytes, kind: str) -> str:
    named = re.search(r"charset\s*=\s*\"?([\w.:-]+)", kind)
    try:
        return data.decode(named[1] if named else "utf-8")
    except (LookupError, UnicodeError):
        return data.decode("cp1252", errors="replace")


def _squeezed(text: str, blank: str) -> str:
    return _UNSEEN.sub(blank, text.replace("\xa0", " ")).strip()
