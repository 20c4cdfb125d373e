"""JSON of any shape -> the shape we hoped for, or its empty form. Knows nothing of FHIR.

Data come from systems we do not control: a list where an object belongs must read as "nothing there", not as a crash.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

Resource = dict[str, Any]
"""A FHIR resource, or any other JSON object, as orjson reads it."""


def is_too_deep(value: object) -> bool:
    """Whether JSON that could be read (1024 levels) could not be written again (254), as a chart has to be."""
    try:
        orjson.dumps(value)
    except orjson.JSONEncodeError:
        return True
    return False


def as_dict(value: object) -> Resource:
    """Return the object itself, or an empty one."""
    return value if isinstance(value, dict) else {}


def as_text(value: object) -> str:
    """Return the string itself without surrounding blanks, or an empty one."""
    return value.strip() if isinstance(value, str) else ""


def dicts_of(value: object) -> Iterator[Resource]:
    """Yield the objects of a list; nothing where there is no list."""
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict):
                yield item


def codes_of(concept: object) -> Iterator[tuple[str, str]]:
    """Yield (system, code) of each coding of a CodeableConcept."""
    for coding in dicts_of(as_dict(concept).get("coding")):
        yield as_text(coding.get("system")), as_text(coding.get("code"))
