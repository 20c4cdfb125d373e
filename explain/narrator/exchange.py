"""JSON to an address and JSON back, within a time and a size. What goes wrong is said without the address's words."""

from __future__ import annotations

import ipaddress
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import httpx
import orjson
from pydantic import SecretStr

from explain.narrator.protocol import NarratorError

MOST_BYTES: Final = 256 * 1024
"""Far more than five sentences."""
LOCAL: Final = frozenset({"localhost"})


@dataclass(frozen=True, slots=True)
class Address:
    """Where a narrator is reached.

    Attributes:
        url: base address, without a slash at its end.
        key: bearer token, or None; it stands in no message and no repr.
        timeout_s: for the whole exchange.
    """

    url: str
    key: SecretStr | None
    timeout_s: float


def checked_url(url: str, *, allow_http: bool) -> str:
    """Return a base address that claims may be sent to: they are patient data, so https, or this machine.

    Raises:
        ValueError: it is no such address; the message does not repeat it.
    """
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        raise ValueError("the narrator's address is no URL: give one like https://llm.example.org") from None
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.userinfo or parsed.query or parsed.fragment:
        raise ValueError("the narrator's address must be a plain http(s) base address; a key is a setting of its own")
    if parsed.scheme == "http" and not allow_http and not _is_local(parsed.host):
        raise ValueError("the narrator gets patient data: use https, or allow plain http inside a closed network")
    return str(parsed).rstrip("/")


def _is_local(host: str) -> bool:
    try:
        return host in LOCAL or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def post(address: Address, path: str, body: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON of any shape
    """Post JSON and return the JSON of the answer.

    Raises:
        NarratorError: no answer in time, an error, too long an answer, or no JSON.
    """
    headers = {"Accept": "application/json", "Accept-Encoding": "identity", "Content-Type": "application/json"}
    if address.key is not None:
        headers["Authorization"] = f"Bearer {address.key.get_secret_value()}"
    end = time.monotonic() + address.timeout_s
    # httpx errors hold the address and the request: `from None` keeps both out of every traceback.
    try:
        # Nothing of the environment: a proxy or a .netrc is nobody the operator named.
        with (
            httpx.Client(timeout=address.timeout_s, follow_redirects=False, trust_env=False) as http,
            http.stream("POST", f"{address.url}{path}", content=orjson.dumps(body), headers=headers) as response,
        ):
            return _json(response, end)
    except httpx.TimeoutException:
        raise NarratorError("it did not answer in time") from None
    except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, UnicodeError, OSError):
        raise NarratorError("it could not be reached") from None


def _json(response: httpx.Response, end: float) -> Any:  # noqa: ANN401 - JSON of any shape
    if response.status_code != HTTPStatus.OK:
        raise NarratorError(f"it answered with HTTP {response.status_code}")
    # What is packed may be a thousand times as long as it looks.
    if response.headers.get("content-encoding", "identity") != "identity":
        raise NarratorError("its answer is compressed, which was not asked for")
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > MOST_BYTES:
            raise NarratorError("its answer is too long")
        if time.monotonic() > end:
            raise NarratorError("it did not answer in time")
    try:
        return orjson.loads(bytes(body))
    except orjson.JSONDecodeError:
        raise NarratorError("its answer is no JSON") from None
