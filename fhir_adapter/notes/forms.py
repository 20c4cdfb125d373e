"""Bytes of a document and their media type -> its text: which reader reads which form, and within which bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fhir_adapter.media_types import media_type
from fhir_adapter.notes import cda, pdf, rtf
from fhir_adapter.notes.identity import contradicts
from fhir_adapter.notes.own_process import Form, read_apart
from fhir_adapter.notes.plaintext import HTML, MAX_BYTES, PLAIN, tidy, to_text
from fhir_adapter.notes.reading import Block, Reading
from fhir_adapter.shape import Resource

_XML: Final = frozenset(
    {"text/xml", "application/xml", "application/cda+xml", "application/hl7-cda+xml", "application/hl7-sdwg-cda+xml"}
    | {"application/hl7-sdwg-ccda+xml"}
)
_APART: Final[Mapping[str, Form]] = {
    "application/pdf": "pdf",
    "text/rtf": "rtf",
    "application/rtf": "rtf",
    "application/x-rtf": "rtf",
}
_BEST_FIRST: Final = (*PLAIN, *_XML, *HTML, *_APART)
"""Plain text has lost nothing; a C-CDA names its sections; a page loses its layout; the others cost a process."""
_MOST: Final = {"pdf": pdf.MAX_BYTES, "rtf": rtf.MAX_BYTES}
LARGEST: Final = max(MAX_BYTES, cda.MAX_BYTES, *_MOST.values())
_SIGNS: Final = ((b"%PDF-", "application/pdf"), (b"{\\rtf", "text/rtf"), (b"<?xml", "application/xml"))
UNKNOWN: Final = frozenset({"", "application/octet-stream", "binary/octet-stream"})
"""Types that say nothing."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads documents of one patient.

    Attributes:
        patient: the Patient resource; a document that says it is about somebody else is not read.
        seconds: for one document.
    """

    patient: Resource
    seconds: float

    def read(self, data: bytes, content_type: str) -> Reading:
        """Return the text of a document.

        Raises:
            ValueError: it cannot be read, or must not be; the message is a clause for the clinician.
            FhirTimeout: the time is over.
        """
        kind = media_type(content_type)
        kind = _guess(data) if kind in UNKNOWN else kind
        if kind in _APART:
            return self._apart(_APART[kind], data)
        if kind in _XML:
            return self._cda(data)
        if kind in PLAIN or kind in HTML:
            return Reading((Block(to_text(data, content_type or kind)),))
        raise ValueError("it is in a form that is not read here")

    def _apart(self, form: Form, data: bytes) -> Reading:
        if len(data) > _MOST[form]:
            raise ValueError("it is too long")
        text, lost = read_apart(form, data, self.seconds)
        return Reading((Block(tidy(text)),), lost)

    def _cda(self, data: bytes) -> Reading:
        if len(data) > cda.MAX_BYTES:
            raise ValueError("it is too long")
        document = cda.read_cda(data)
        if any(contradicts(person, self.patient) for person in document.people):
            raise ValueError("it names another patient")
        if document.inside is None:
            return Reading(document.blocks)
        inner, content_type = document.inside
        if media_type(content_type) in _XML:
            raise ValueError("it is XML inside XML")
        return self.read(inner, content_type)


def is_readable(content_type: str) -> bool:
    """Whether there is a reader for this type, or the type says nothing and the bytes must."""
    return media_type(content_type) in (*_BEST_FIRST, *UNKNOWN)


def rank(content_type: str) -> int:
    """Return the place of a form among forms of one document, best first."""
    kind = media_type(content_type)
    return _BEST_FIRST.index(kind) if kind in _BEST_FIRST else len(_BEST_FIRST)


def _guess(data: bytes) -> str:
    """Return the type that the first bytes prove."""
    start = data[:64].lstrip(b"\xef\xbb\xbf \r\n\t")
    return next((kind for sign, kind in _SIGNS if start.startswith(sign)), "")
