"""Address -> bytes, or one of our errors: deadline, size cap, redirects and statuses. Knows nothing of FHIR."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
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
from fhir_adapter.rest.answers import Answer
from fhir_adapter.rest.memory import memory_of, remember
from fhir_adapter.rest.retries import ask_again
from fhir_adapter.rest.unpacking import ACCEPTED, NotUnpacked, Plain, TooLarge, Unpacker
from fhir_adapter.settings import FhirSettings

MAX_REDIRECTS: Final = 3
IF_NONE_MATCH: Final = "If-None-Match"
_KEEPS_BODY: Final = frozenset({HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT})
_TOKEN: Final = re.compile(r"[A-Za-z0-9\-._~+/]+=*")


@dataclass(frozen=True, slots=True)
class Question:
    """One GET, or a POST that changes nothing.

    Attributes:
        url: what to fetch.
        headers: sent with it, also after a redirect, which is why a redirect may not leave `base`.
        base: the server's base address.
        what: resource type, for messages.
        max_bytes: largest body taken.
        body: makes it a POST; its type is in the headers.
        once: never to be asked twice.
        takes: statuses besides 200 whose body is wanted; any other is an error.
    """

    url: httpx.URL
    headers: Mapping[str, str]
    base: httpx.URL
    what: str
    max_bytes: int
    body: bytes | None = None
    once: bool = False
    takes: frozenset[int] = frozenset()

    @property
    def method(self) -> str:
        """HTTP method."""
        return "GET" if self.body is None else "POST"


def open_http(settings: FhirSettings) -> httpx.AsyncClient:
    """Open the one HTTP client of a process; the caller closes it. It is shared by servers and patients: no cookies."""
    limits = httpx.Limits(
        max_connections=settings.max_connections,
        max_keepalive_connections=settings.max_connections,
        keepalive_expiry=settings.keepalive_s,
    )
    no_cookies = CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
    headers = {"Accept-Encoding": ACCEPTED}
    http = httpx.AsyncClient(limits=limits, cookies=no_cookies, headers=headers, follow_redirects=False)
    remember(http, settings)
    return http


def is_bearer_token(text: str) -> bool:
    """Whether this may stand in an Authorization header as a bearer token (RFC 6750 section 2.1)."""
    return _TOKEN.fullmatch(text) is not None


def bearer(token: SecretStr | None) -> dict[str, str]:
    """Return the Authorization header of a token (RFC 6750 section 2.1), or none.

    Raises:
        ValueError: the token holds characters that a header cannot carry.
    """
    if token is None:
        return {}
    if not is_bearer_token(token.get_secret_value()):
        raise ValueError("fhirAuthorization.access_token is not a bearer token (RFC 6750): check the client")
    return {"Authorization": f"Bearer {token.get_secret_value()}"}


async def fetch(http: httpx.AsyncClient, question: Question, deadline: Deadline) -> Answer:
    """Get one address within the deadline; asked again where a server is overloaded or cannot be reached.

    Raises:
        FhirTimeout: there was no whole answer by the deadline, or the server says that there will not be one.
        FhirUnavailable, FhirRefused, FhirGone, FhirRejected, FhirMalformed, ServerNotAllowed.
    """
    if deadline.expired:
        raise FhirTimeout(question.what)
    attempts = 1 if question.once else memory_of(http).settings.max_attempts
    return await ask_again(lambda: _ask(http, question, deadline), attempts, deadline)


async def _ask(http: httpx.AsyncClient, question: Question, deadline: Deadline) -> Answer:
    # httpx errors hold the address, which holds the patient's id: `from None` keeps them out of every traceback.
    try:
        async with asyncio.timeout(deadline.remaining()), memory_of(http).slot(question.base):
            return await _send(http, question, deadline)
    except (TimeoutError, httpx.TimeoutException):
        raise FhirTimeout(question.what) from None
    except (httpx.HTTPError, httpx.StreamError):
        raise FhirUnavailable(question.what) from None


async def _send(http: httpx.AsyncClient, question: Question, deadline: Deadline) -> Answer:
    url = question.url
    for _ in range(MAX_REDIRECTS + 1):
        # httpx would follow a redirect anywhere; here each hop is checked first.
        async with http.stream(
            question.method,
            url,
            headers=question.headers,
            content=question.body,
            timeout=max(deadline.remaining(), 1e-3),
            follow_redirects=False,
        ) as response:
            if not response.has_redirect_location:
                return await _read(response, question)
            url = _redirected(response, question)
    raise FhirRejected(question.what, HTTPStatus.FOUND)


def _redirected(response: httpx.Response, question: Question) -> httpx.URL:
    # Any other redirect of a POST becomes a GET without its body: a search for everybody.
    if question.body is not None and response.status_code not in _KEEPS_BODY:
        raise FhirRejected(question.what, response.status_code)
    try:
        target = response.url.join(response.headers["location"])
    except (httpx.InvalidURL, ValueError):
        raise ServerNotAllowed(f"the redirect of {question.what}") from None
    if not is_within(target, question.base):
        raise ServerNotAllowed(f"the redirect of {question.what}")
    return target


async def _read(response: httpx.Response, question: Question) -> Answer:
    status = response.status_code
    if status == HTTPStatus.NOT_MODIFIED and IF_NONE_MATCH in question.headers:
        return Answer("", b"", status=status)
    if status != HTTPStatus.OK and status not in question.takes:
        raise error_of(question.what, status, response.headers.get("retry-after", ""))
    body = await _body_of(response, question)
    return Answer(response.headers.get("content-type", ""), body, _etag_of(response.headers), status)


async def _body_of(response: httpx.Response, question: Question) -> bytes:
    coding = response.headers.get("content-encoding", "").strip().lower()
    plain = coding in ("", "identity")
    try:
        unpacker = Plain(question.max_bytes) if plain else Unpacker(coding, question.max_bytes)
        # httpx would unpack a piece whole, whatever it grows to.
        pieces = response.aiter_bytes() if plain else response.aiter_raw()
        body = bytearray()
        async for piece in pieces:
            body += unpacker.feed(piece)
        unpacker.end()
    except TooLarge:
        raise FhirMalformed(
            question.what, "the answer is larger than FHIR_MAX_BYTES (FHIR_MAX_IMAGE_BYTES) allows"
        ) from None
    except NotUnpacked:
        raise FhirMalformed(question.what, "the answer's compression is broken") from None
    return bytes(body)


def _etag_of(headers: httpx.Headers) -> str:
    """Return the validator of an answer that may be kept (RFC 9111 sections 3 and 4.1)."""
    varies = {name.strip().lower() for name in headers.get("vary", "").split(",")}
    private = "no-store" in headers.get("cache-control", "").lower() or varies & {"*", "authorization"}
    etag = str(headers.get("etag", ""))
    # One that is no ASCII (RFC 9110 section 8.8.3) could not be sent back.
    return "" if private or not etag.isascii() else etag


def error_of(what: str, status: int, retry_after: str = "") -> FhirError:
    """Return the error that a status other than 200 means; `retry_after` is the header of that name."""
    if status < HTTPStatus.MULTIPLE_CHOICES:
        return FhirMalformed(what, f"the server answered with HTTP {status} where a body was expected")
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return FhirRefused(what, status)
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        return FhirGone(what, status)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
        return FhirUnavailable(what, status, _seconds_of(retry_after))
    return FhirRejected(what, status)


def _seconds_of(retry_after: str) -> float | None:
    """Read `Retry-After` (RFC 9110 section 10.2.3), seconds or an HTTP date; None for anything else."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    # RFC 5322 dates without a known zone come back naive; HTTP dates are GMT.
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
