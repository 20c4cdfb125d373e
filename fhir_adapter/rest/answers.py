"""Answer of a server -> JSON object, or FhirMalformed. Knows nothing of FHIR but its media types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import orjson

from fhir_adapter.errors import FhirMalformed
from fhir_adapter.media_types import FHIR_JSON_NAMES, media_type
from fhir_adapter.shape import Resource, is_too_deep

_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        content_type: the whole header.
        body: decompressed.
        etag: validator of the body, empty where there is none or where the answer may not be kept.
        status: 200, or another that was asked for; 304 has no body.
    """

    content_type: str
    body: bytes
    etag: str = ""
    status: int = 200

    @property
    def media_type(self) -> str:
        """Content type without its parameters, lower case."""
        return media_type(self.content_type)

    @property
    def is_json(self) -> bool:
        """Whether it calls itself FHIR JSON; a proxy's HTML page may come with status 200."""
        return self.media_type in FHIR_JSON_NAMES


def parse_json(answer: Answer, what: str) -> Resource:
    """Return the JSON object of an answer; `what` names it in messages.

    Where a name comes twice in one object the last one counts, for every reader alike. Integers beyond 64 bits are
    read as floating point.

    Raises:
        FhirMalformed: it does not call itself JSON; or is none: cut off, not UTF-8, with NaN or an infinite number;
            or is no object; or is nested too deeply.
    """
    if not answer.is_json:
        raise FhirMalformed(what, "the server did not answer with FHIR JSON")
    try:
        # A byte order mark is no part of the text (RFC 8259 section 8.1).
        content = orjson.loads(answer.body.removeprefix(_BOM))
    except orjson.JSONDecodeError:
        # The decoder's message quotes the document.
        raise FhirMalformed(what, "the answer is not JSON") from None
    if not isinstance(content, dict):
        raise FhirMalformed(what, "the answer is not a resource")
    if is_too_deep(content):
        raise FhirMalformed(what, "the answer is nested too deeply")
    return content
