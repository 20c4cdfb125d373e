"""Pages of one search -> where to read on, and what was found. No network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx

from fhir_adapter.rest.addresses import is_within, read_url, reroot
from fhir_adapter.rest.bundles import Page
from fhir_adapter.settings import FhirSettings
from fhir_adapter.shape import Resource

Enough = Callable[[Sequence[Resource]], bool]
"""Whether the matches read so far are all that is needed; asked after each page that is not the last."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found.

    Attributes:
        resources: the matches, in the server's order.
        complete: False when there was more that was not read, or when the server says that it left something out.
        included: what the server sent along with them.
        enough: True when reading stopped because the caller had enough, and nothing before that was left out:
            then `complete` is False, and still nothing is missing that was asked for.
    """

    resources: tuple[Resource, ...]
    complete: bool
    included: tuple[Resource, ...] = ()
    enough: bool = False


class Walk:
    """The pages of one search read so far.

    Ends at the last page, a page without entries, a link that was followed before, one that leaves the server, a limit
    of `FhirSettings`, or when there is enough. What a server says of the total is not looked at: HAPI leaves it out,
    or counts the page.
    """

    def __init__(self, base: httpx.URL, settings: FhirSettings, enough: Enough | None = None) -> None:
        self._base, self._settings, self._asked = base, settings, enough
        self._pages: list[Page] = []
        self._followed = set[str]()
        self._bytes = 0
        self._enough = False

    def add(self, page: Page, size: int = 0) -> None:
        """Take a page that was read, of this many bytes."""
        self._pages.append(page)
        self._bytes += size

    def read_on(self) -> httpx.URL | None:
        """Return the address of the next page to read, or None."""
        last = self._pages[-1]
        if not last.next_url or last.empty or last.next_url in self._followed or self._is_too_much():
            return None
        if self._asked is not None and self._asked(self._matches()):
            self._enough = True
            return None
        # Links are followed as they stand (HAPI's have no type in the path) and only under our own base:
        # the token goes with them.
        self._followed.add(last.next_url)
        target = read_url(last.next_url)
        if target is not None and is_within(target, self._base):
            return target
        return reroot(last.next_url, self._base) if self._settings.reroot_links else None

    def result(self) -> SearchResult:
        """Return what was found by now."""
        whole = not any(page.partial for page in self._pages)
        return SearchResult(
            resources=self._matches(),
            complete=whole and not self._pages[-1].next_url,
            included=tuple(resource for page in self._pages for resource in page.others),
            enough=whole and self._enough,
        )

    def _is_too_much(self) -> bool:
        read = sum(len(page.matches) + len(page.others) for page in self._pages)
        limits = self._settings
        return (
            len(self._pages) >= limits.max_pages
            or read >= limits.max_resources
            or self._bytes >= limits.max_search_bytes
        )

    def _matches(self) -> tuple[Resource, ...]:
        return tuple(resource for page in self._pages for resource in page.matches)
