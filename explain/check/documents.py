"""A note that the explanation shows -> whether the resource it names holds these words.

The note is de-identified: where it has a placeholder the resource has something else, and everything around it must be
there to the letter.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from io import BytesIO
from typing import Final

from explain.check.problems import Problem
from explain.check.resources import Chart, Resource, dicts, inner, moment, moment_of_period
from explain.evidence import NoteEvidence

NOTE: Final = "note"
CUT_AT: Final = 100_000
"""Characters after which a record's note is cut."""
CUT_AT_PAGE: Final = 50
_LONGEST_REPLACED: Final = 2_000
"""Of one placeholder: a web address is that long."""
_PLACEHOLDER: Final = re.compile(r"\[(?:name|date|age|phone|email|url|ip|id|address)\]")
_TAG: Final = re.compile(r"<(script|style|title|template|svg)\b.*?</\1\s*>|<!--.*?-->|</?[a-z!?][^>]*>", re.S | re.I)
_XML_TAG: Final = re.compile(r"<!--.*?-->|</?[A-Za-z!?][^>]*>", re.S)
_UNSEEN: Final = re.compile("[\x00-\x1f\x7f\ufeff\\s]+")


def check_note(note: NoteEvidence, chart: Chart) -> Iterator[Problem]:
    """Yield why a note cannot be traced: the resource, its text, or its time."""
    yield from chart.problems(NOTE, note.source)
    resource = chart.get(note.source)
    if resource is None:
        return
    conclusion = resource.get("conclusion")
    attachments = [inner(content, "attachment") for content in dicts(resource.get("content"))]
    attachments += dicts(resource.get("presentedForm"))
    said = isinstance(conclusion, str) and _is_same(_squeezed(conclusion, " "), note.text, " ", cut=False)
    if not said and not any(_holds(attachment, note.text, chart) for attachment in attachments):
        yield Problem("value", NOTE, note.source)
    if note.written_at != _written_at(resource, attachments):
        yield Problem("time", NOTE, note.source)


def _written_at(resource: Resource, attachments: list[Resource]) -> datetime | None:
    if resource.get("resourceType") == "DiagnosticReport":
        taken = moment(resource.get("effectiveDateTime")) or moment_of_period(resource.get("effectivePeriod"))
        return taken or moment(resource.get("issued"))
    period = resource.get("period") or inner(resource, "context").get("period")
    filed, ended = moment(resource.get("date")), moment(period.get("end") if isinstance(period, dict) else None)
    made = (moment(attachment.get("creation")) for attachment in attachments)
    return (
        (min(filed, ended) if filed and ended else filed)
        or moment_of_period(period)
        or next(filter(None, made), None)
        or moment(inner(resource, "meta").get("lastUpdated"))
    )


def _holds(attachment: Resource, text: str, chart: Chart) -> bool:
    """Compare letter by letter; blanks and line breaks are a matter of layout, in markup not even between words."""
    kind = str(attachment.get("contentType", ""))
    data = _bytes(attachment, chart)
    if data is None:
        return False
    if "pdf" in kind or "rtf" in kind:
        return _is_taken_from(data, kind, text)
    written = _decoded(data, kind)
    if "xml" in kind and "html" not in kind:
        return _has_lines(_squeezed(html.unescape(_XML_TAG.sub(" ", written)), ""), text)
    cut = len(written) > CUT_AT
    if "html" in kind:
        return _is_same(_squeezed(html.unescape(_TAG.sub(" ", written)), ""), text, "", cut=cut)
    return _is_same(_squeezed(written, " "), text, " ", cut=cut)


def _is_taken_from(data: bytes, kind: str, text: str) -> bool:
    """Read a file by the library that read it for the note."""
    try:
        written, pages = _pdf(data) if "pdf" in kind else (_rtf(data), 1)
    except Exception:  # noqa: BLE001 - whatever a library makes of a broken file, the note is not in it
        return False
    return _is_same(_squeezed(written, " "), text, " ", cut=len(written) > CUT_AT or pages > CUT_AT_PAGE)


def _pdf(data: bytes) -> tuple[str, int]:
    from pypdf import PdfReader  # noqa: PLC0415  # slow to import, and rarely needed

    reader = PdfReader(BytesIO(data))
    if reader.is_encrypted:
        reader.decrypt("")
    return " ".join(page.extract_text() for page in reader.pages), len(reader.pages)


def _rtf(data: bytes) -> str:
    from striprtf.striprtf import rtf_to_text  # noqa: PLC0415  # slow to import, and rarely needed

    return str(rtf_to_text(data.decode("cp1252", errors="replace"), errors="replace"))  # type: ignore[no-untyped-call]


def _is_same(whole: str, text: str, blank: str, *, cut: bool) -> bool:
    """Compare a document with a note, in which placeholders stand for parts of it and which may be cut."""
    first, *others = _PLACEHOLDER.split(_squeezed(text, blank))
    if not whole.startswith(first):
        return False
    place = len(first)
    for number, part in enumerate(others, 1):
        last = number == len(others) and not cut
        begin = len(whole) - len(part) if last else whole.find(part, place + 1)
        if not place < begin <= place + _LONGEST_REPLACED or not whole.startswith(part, begin):
            return False
        place = begin + len(part)
    return cut or place == len(whole)


def _has_lines(whole: str, text: str) -> bool:
    """Return whether a document has every line and cell of a note, one behind the other."""
    lines: Sequence[str] = re.split(r"\n| \| ", text)
    place = 0
    for part in (part for line in lines for part in _PLACEHOLDER.split(_squeezed(line, "").removesuffix(":"))):
        found = whole.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    return True


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
