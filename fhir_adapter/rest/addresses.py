"""Address -> whether it may be contacted: the guard against being sent to other servers (SSRF)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

import httpx

_DISGUISED: Final = re.compile(r"%(?:2e|2f|5c|25|3b)|\\|/\.{1,2};", re.IGNORECASE)
"""Dots, slashes, backslashes and percent signs in disguise, and dots with a path parameter (`/..;x`), which some
servers take away before they resolve the dots: two servers may read such a path differently."""


def read_url(text: str) -> httpx.URL | None:
    """Parse an http(s) address without user name and fragment, or None."""
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, ValueError):
        return None
    usable = url.scheme in ("http", "https") and url.host and not url.userinfo and not url.fragment
    return url if usable else None


def origin_of(url: httpx.URL) -> str:
    """Return scheme, host and port; the default port is left out."""
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def same_origin(one: httpx.URL, other: httpx.URL) -> bool:
    """Compare scheme, host and port; the default port equals none."""
    return (one.scheme, one.host, one.port) == (other.scheme, other.host, other.port)


def is_within(url: httpx.URL, base: httpx.URL) -> bool:
    """Whether `url` has the origin of `base` and lies at or beneath its path, segment by segment."""
    path, root = url.raw_path.split(b"?")[0].decode("ascii"), base.path.rstrip("/")
    if not same_origin(url, base) or url.userinfo or _DISGUISED.search(path):
        return False
    # httpx has resolved plain dots already.
    return path.rstrip("/") == root or path.startswith(root + "/")


def is_allowed(url: str, bases: Iterable[object]) -> bool:
    """Whether an address lies within one of the base addresses."""
    target = read_url(url)
    return target is not None and any(is_within(target, httpx.URL(str(base))) for base in bases)


def reroot(link: str, base: httpx.URL) -> httpx.URL | None:
    """Return a link that names another scheme, host or port at the origin of `base`, or None where it lies elsewhere.

    Only where it was is changed: path and query stay as they are, and the path must be the one of `base` or beneath.
    """
    try:
        # httpx cannot read an address like `https://ehr:443:443/fhir`, which proxies make.
        parts = urlsplit(link)
        target = httpx.URL(base.copy_with(raw_path=b"/"), raw_path=_raw(parts.path, parts.query))
    except (httpx.InvalidURL, ValueError):
        return None
    return target if parts.scheme in ("http", "https") and is_within(target, base) else None


def _raw(path: str, query: str) -> bytes:
    return (f"{path}?{query}" if query else path or "/").encode("ascii")
