"""A tab on the site of explanation pages, and everything in it that must not happen."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

from tests.browser.explanation_site import Site, serving


@pytest.fixture(scope="module")
def served() -> Iterator[Site]:
    with serving() as site:
        yield site


@pytest.fixture
def site(served: Site) -> Site:
    served.begin()
    return served


@dataclass
class Visit:
    """One tab, and everything in it that must not happen."""

    page: Page
    site: Site
    complaints: list[str]

    def open(self, path: str) -> Page:
        """Open a page of the site and wait until its pictures are there."""
        self.page.goto(self.site.address + path, wait_until="load")
        return self.page


def watch(page: Page, address: str) -> list[str]:
    """Return a list that fills with every violation, console error, missing file and request to another host."""
    complaints: list[str] = []

    def hear(said: ConsoleMessage) -> None:
        complaints.extend([said.text] if said.type in {"error", "warning"} else [])

    def follow(request: Request) -> None:
        complaints.extend([] if request.url.startswith((f"{address}/", "data:,")) else [request.url])

    page.on("console", hear)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", follow)
    return complaints


@pytest.fixture(params=[{}])
def visit(browser: Browser, site: Site, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """Open a tab, and fail the test on anything that `watch` writes down."""
    context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **request.param})
    page = context.new_page()
    complaints = watch(page, site.address)
    yield Visit(page, site, complaints)
    context.close()
    assert complaints == []
