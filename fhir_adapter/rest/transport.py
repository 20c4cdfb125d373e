"""Address -> bytes, or one of our errors: deadline, size cap, redirects and statuses. Knows nothing of FHIR."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final

import httpx
from pydantic import SecretStr

from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import (
    FhirError,
    FhirGone,
    FhirMalformed,
    FhirRefused,
    FhirRejected,
    FhirTimeout,
    FhirUnavailable,
    ServerNotAllowed,
)
from fhir_adapter.rest.addresses import is_within
from fhir_adapter.settings import FhirSettings

MAX_REDIRECTS: Final = 3
_TOKEN: Final = re.compile(r"[A-Za-z0-9\-._~+/]+=*")


@dataclass(frozen=True, slots=True)
class Question:
    """One GET.

    Attributes:
        url: what to fetch.
        headers: sent with it, also after a redirect, which is why a redirect may not leave `base`.
        base: the server's base address.
        what: resource type, for messages.
        max_bytes: largest body taken.
    """

    url: httpx.URL
    headers: Mapping[str, str]
    base: httpx.URL
    what: str
    max_bytes: int


@dataclass(frozen=True, slots=True)
class Answer:
    """A body and its whole Content-Type header."""

    content_type: str
    body: bytes

    @property
    def media_type(self) -> str:
        """Content type without its parameters, lower case."""
        return self.content_type.partition(";")[0].strip().lower()


def open_http(settings: FhirSettings) -> httpx.AsyncClient:
    """Open the one HTTP client of a process; the caller closes it. It is shared by servers and patients: no cookies."""
    limits = httpx.Limits(
        max_connections=settings.max_connections,
        max_keepalive_connections=settings.max_connections,
        keepalive_expiry=settings.keepalive_s,
    )
    no_cookies = CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
    return httpx.AsyncClient(limits=limits, cookies=no_cookies, follow_redirects=False)


def bearer(token: SecretStr | None) -> dict[str, str]:
    """Return the Authorization header of a token (RFC 6750 section 2.1), or none.

    Raises:
        ValueError: the token holds characters that a header cannot carry.
    """
    if token is None:
        return {}
    if not _TOKEN.fullmatch(token.get_secret_value()):
        raise ValueError("fhirAuthorization.access_token is not a bearer token (RFC 6750): check the client")
    return {"Authorization": f"Bearer {token.get_secret_value()}"}


async def fetch(http: httpx.AsyncClient, question: Question, deadline: Deadline) -> Answer:
    """Get one address within the deadline.

    Raises:
        FhirTimeout, FhirUnavailable, FhirRefused, FhirGone, FhirRejected, FhirMalformed, ServerNotAllowed.
    """
    if deadline.expired:
        raise FhirTimeout(question.what)
    # httpx errors hold the address, which holds the patient's id: `from None` keeps them out of every traceback.
    try:
        async with asyncio.timeout(deadline.remaining()):
            return await _get(http, question, deadline)
    except (TimeoutError, httpx.TimeoutException):
        raise FhirTimeout(question.what) from None
    except httpx.DecodingError:
        raise FhirMalformed(question.what, "the answer's compression is broken") from None
    except (httpx.HTTPError, httpx.StreamError):
        raise FhirUnavailable(question.what) from None


async def _get(http: httpx.AsyncClient, question: Question, deadline: Deadline) -> Answer:
    url = question.url
    for _ in range(MAX_REDIRECTS + 1):
        # httpx would follow a redirect anywhere; here each hop is checked first.
        async with http.stream(
            "GET", url, headers=question.headers, timeout=max(deadline.remaining(), 1e-3), follow_redirects=False
        ) as response:
            if not response.has_redirect_location:
                return await _read(response, question)
            url = _redirected(response, question)
    raise FhirRejected(question.what, HTTPStatus.FOUND)


def _redirected(response: httpx.Response, question: Question) -> httpx.URL:
    try:
        target = response.url.join(response.headers["location"])
    except (httpx.InvalidURL, ValueError):
        raise ServerNotAllowed(f"the redirect of {question.what}") from None
    if not is_within(target, question.base):
        raise ServerNotAllowed(f"the redirect of {question.what}")
    return target


async def _read(response: httpx.Response, question: Question) -> Answer:
    if response.status_code != HTTPStatus.OK:
        raise _error_of(question.what, response.status_code)
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > question.max_bytes:
            raise FhirMalformed(question.what, "the answer is larger than FHIR_MAX_BYTES")
    return Answer(response.headers.get("content-type", ""), bytes(body))


def _error_of(what: str, status: int) -> FhirError:
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return FhirRefused(what, status)
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        return FhirGone(what, status)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
        return FhirUnavailable(what, status)
    return FhirRejected(what, status)
