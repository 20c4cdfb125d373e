"""The media types of FHIR servers (R4 RESTful API, "Content Types"), and a content type without its parameters."""

from __future__ import annotations

from typing import Final

FHIR_JSON: Final = "application/fhir+json"
FHIR_JSON_NAMES: Final = frozenset({FHIR_JSON, "application/json", "application/json+fhir"})
"""What servers call FHIR JSON."""
FORM: Final = "application/x-www-form-urlencoded"


def media_type(content_type: str) -> str:
    """Return a content type without its parameters, lower case."""
    return content_type.partition(";")[0].strip().lower()
