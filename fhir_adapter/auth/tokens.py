"""Signed assertion -> access token, from a token endpoint (SMART App Launch 2.2, Backend Services; RFC 7523)."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import Final

import httpx
from pydantic import SecretStr

from fhir_adapter.auth.discovery import TokenEndpoint
from fhir_adapter.auth.keys import SigningKey
from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import FhirMalformed, TokenRefused
from fhir_adapter.rest.answers import parse_json
from fhir_adapter.rest.retries import ask_again
from fhir_adapter.rest.transport import Question, fetch, is_bearer_token
from fhir_adapter.settings import BackendClient
from fhir_adapter.shape import Resource, as_text

WHAT: Final = "the access token"
MAX_BYTES: Final = 2**16
ASSERTION_S: Final = 120
"""Seconds an assertion holds; SMART allows 300."""
SHORTEST_S: Final = 60
"""Lifetime taken where a server does not say it, although SMART requires it."""
_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_HEADERS: Final = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
_CODES: Final = frozenset(
    {
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "unauthorized_client",
        "unsupported_grant_type",
    }
)
"""Error codes of RFC 6749 section 5.2; anything else is not repeated."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What a token endpoint gave.

    Attributes:
        token: to be sent to the FHIR server it is for.
        seconds: how long it holds from when it came.
        scope: what it covers.
    """

    token: SecretStr
    seconds: float
    scope: str


async def ask_for_token(
    http: httpx.AsyncClient, endpoint: TokenEndpoint, client: BackendClient, key: SigningKey, deadline: Deadline
) -> AccessToken:
    """Ask for a token, with an assertion of its own for every try.

    Raises:
        TokenRefused: the endpoint does not know us, or not with this key (`invalid_client`), or gives no such scope.
        FhirMalformed: what came is no token.
        FhirError: see `transport.fetch`.
    """

    async def ask() -> AccessToken:
        form = {
            "grant_type": "client_credentials",
            "scope": client.scope,
            "client_assertion_type": _ASSERTION_TYPE,
            "client_assertion": sign(client.client_id, endpoint.url, key),
        }
        url, body = httpx.URL(endpoint.url), str(httpx.QueryParams(form)).encode()
        question = Question(url, _HEADERS, url, WHAT, MAX_BYTES, body, once=True, takes=frozenset({400, 401}))
        answer = await fetch(http, question, deadline)
        content = parse_json(answer, WHAT)
        if answer.status != httpx.codes.OK:
            code = as_text(content.get("error"))
            raise TokenRefused(code if code in _CODES else "no known reason", answer.status)
        return _read_token(content, client.scope)

    return await ask_again(ask, 2, deadline)


def sign(client_id: str, audience: str, key: SigningKey) -> str:
    """Return the JWT with which a client shows who it is (SMART, "Authentication JWT"); it holds for two minutes."""
    import jwt  # noqa: PLC0415  # slow to import, and only such clients need it

    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "exp": int(time.time()) + ASSERTION_S,
        "jti": uuid.uuid4().hex,
    }
    return jwt.encode(claims, key.private, key.algorithm, {"kid": key.kid})


def _read_token(content: Resource, asked_for: str) -> AccessToken:
    token = as_text(content.get("access_token"))
    if not is_bearer_token(token) or as_text(content.get("token_type")).lower() != "bearer":
        raise FhirMalformed(WHAT, "the endpoint did not answer with a bearer token")
    # Left out, the scope is what was asked for (RFC 6749 section 5.1).
    scope = as_text(content.get("scope")) or asked_for
    return AccessToken(SecretStr(token), _seconds_of(content.get("expires_in", SHORTEST_S)), scope)


def _seconds_of(expires_in: object) -> float:
    try:
        # Some servers send the number as a string.
        seconds = float(expires_in) if isinstance(expires_in, (int, float, str)) else 0.0
    except (ValueError, OverflowError):
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise FhirMalformed(WHAT, "its lifetime is not a number of seconds")
    return seconds
