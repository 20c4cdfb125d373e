"""A page whose console and requests are written down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, BrowserContext, Page


@dataclass(slots=True)
class Watched:
    """What every page of one browser session did.

    Attributes:
        complaints: errors and warnings of the console, uncaught exceptions, failed requests.
        addresses: of all requests.
    """

    context: BrowserContext
    complaints: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    def open(self, address: str) -> Page:
        """Open a page."""
        page = self.context.new_page()
        page.goto(address)
        return page

    def outside(self, url: str) -> list[str]:
        """Return the requests that went to another origin."""
        return [address for address in self.addresses if not address.startswith((f"{url}/", "data:"))]


@contextmanager
def watched(browser: Browser, width: int = 1400, height: int = 900) -> Iterator[Watched]:
    """Open a session of its own, without cookies of others."""
    context = browser.new_context(viewport={"width": width, "height": height})
    session = Watched(context)
    context.on(
        "console",
        lambda message: session.complaints.append(message.text) if message.type in ("error", "warning") else None,
    )
    context.on("weberror", lambda error: session.complaints.append(str(error.error)))
    context.on("request", lambda request: session.addresses.append(request.url))
    try:
        yield session
    finally:
        context.close()
