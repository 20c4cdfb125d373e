"""Bearer token -> what it says of itself, if it is a JWT. No network, and nothing is verified."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import orjson

from fhir_adapter.shape import Resource, as_dict, as_text

_LONGEST: Final = 16_384


@dataclass(frozen=True, slots=True)
class Claims:
    """What the payload of a JWT says (RFC 7519); nobody has checked its signature.

    Attributes:
        scope: its scopes, with blanks between.
        audience: whom it is for.
        expires_at: when it ends, or None.
        patient_id: the patient it is bound to (SMART launch context); empty where none is named.
    """

    scope: str = ""
    audience: tuple[str, ...] = ()
    expires_at: datetime | None = None
    patient_id: str = ""


def read_claims(token: str) -> Claims | None:
    """Read the payload of a JWT, or None where the token is none: most are opaque."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > _LONGEST:
        return None
    header, payload = (_part(text) for text in parts[:2])
    if not header.get("alg") or not payload:
        return None
    # `scp` is how Azure and Okta call it.
    scope = _words(payload.get("scope")) or _words(payload.get("scp"))
    return Claims(
        " ".join(scope), _words(payload.get("aud")), _moment(payload.get("exp")), as_text(payload.get("patient"))
    )


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
