"""Scope strings -> what they cover, and a token -> what it says of itself. No network, nothing is verified."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import orjson

from fhir_adapter.shape import Resource, as_dict, as_text

# SMART App Launch 1.0 (`patient/Observation.read`) and 2.x (`patient/Observation.rs?category=...`).
_SCOPE: Final = re.compile(
    r"(?P<level>patient|user|system)/(?P<kind>\*|[A-Za-z]+)\.(?P<how>\*|read|write|c?r?u?d?s?)(?:\?\S+)?"
)
_V1: Final = {"*": "cruds", "read": "rs", "write": "cud"}
_LONGEST_TOKEN: Final = 16_384


@dataclass(frozen=True, slots=True)
class Claims:
    """What the payload of a JWT says (RFC 7519); nobody has checked its signature.

    Attributes:
        scope: its scopes.
        audience: whom it is for.
        expires_at: when it ends, or None.
        patient_id: the patient it is bound to (SMART launch context); empty where none is named.
    """

    scope: tuple[str, ...] = ()
    audience: tuple[str, ...] = ()
    expires_at: datetime | None = None
    patient_id: str = ""


def read_claims(token: str) -> Claims | None:
    """Read the payload of a JWT, or None where the token is none: most are opaque."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > _LONGEST_TOKEN:
        return None
    header, payload = (_part(text) for text in parts[:2])
    if not header.get("alg") or not payload:
        return None
    # `scp` is how Azure and Okta call it.
    scope = _words(payload.get("scope")) or _words(payload.get("scp"))
    return Claims(scope, _words(payload.get("aud")), _moment(payload.get("exp")), as_text(payload.get("patient")))


def covers(scopes: Iterable[str], resource_type: str, letters: str) -> bool:
    """Whether scopes allow interactions with a type; `letters` as in SMART 2: `r` reads, `s` searches.

    A scope with a filter (`?category=...`) counts as covering: which results it withholds only the server knows.
    """
    granted: set[str] = set()
    for scope in scopes:
        found = _SCOPE.fullmatch(scope)
        if found is not None and found["kind"] in ("*", resource_type):
            granted |= set(_V1.get(found["how"], found["how"]))
    return set(letters) <= granted


def lacking(scopes: Iterable[str], wanted: Mapping[str, str]) -> tuple[str, ...]:
    """Return the types, of {type: letters}, that the scopes do not cover."""
    given = tuple(scopes)
    return tuple(kind for kind, letters in wanted.items() if not covers(given, kind, letters))


def is_filtered(scopes: Iterable[str]) -> bool:
    """Whether some scope narrows what is shown (SMART 2.0, finer-grained resource constraints)."""
    return any("?" in scope for scope in scopes)


def _part(text: str) -> Resource:
    try:
        return as_dict(orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))))
    except (binascii.Error, ValueError):
        return {}


def _words(value: object) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(filter(None, map(as_text, value)))
    return tuple(as_text(value).split())


def _moment(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, ValueError, OSError):
        return None
