"""HTTP client -> what is remembered of the servers it asked, for as long as it lives.

It belongs to the HTTP client because both are bound to one event loop, and a process may have two.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

import httpx

from fhir_adapter.rest.addresses import origin_of
from fhir_adapter.rest.capabilities import Capabilities
from fhir_adapter.rest.etags import Etags
from fhir_adapter.settings import FhirSettings

if TYPE_CHECKING:
    from fhir_adapter.auth.access import Access


MOST_SERVERS: Final = 200
"""Base addresses of which something is remembered: a hook may name any path beneath an allowed one."""


@dataclass(frozen=True, slots=True)
class KnownCapabilities:
    """What a server said of itself, and until when (monotonic seconds) that is taken to hold."""

    capabilities: Capabilities
    until: float

    @property
    def holds(self) -> bool:
        """Whether it is fresh."""
        return time.monotonic() < self.until


@dataclass(frozen=True, slots=True)
class Memory:
    """What one HTTP client knows of its servers.

    Attributes:
        settings: limits.
        etags: answers that can be asked about again.
        capabilities: by base address.
        asked_for_them: by base address, until when (monotonic seconds) they are not asked for again by the way.
        no_post: base addresses of servers that take no search by POST.
        accesses: by base address, the service's own access, so that all share one token.
    """

    settings: FhirSettings
    etags: Etags
    capabilities: dict[str, KnownCapabilities] = field(default_factory=dict)
    asked_for_them: dict[str, float] = field(default_factory=dict)
    no_post: set[str] = field(default_factory=set)
    accesses: dict[str, Access] = field(default_factory=dict)
    _slots: dict[str, asyncio.Semaphore] = field(default_factory=dict)

    def slot(self, url: httpx.URL) -> asyncio.Semaphore:
        """Return what to hold while one of the few connections to the server of this address is in use."""
        found = self._slots.get(origin_of(url))
        if found is None:
            found = self._slots[origin_of(url)] = asyncio.Semaphore(self.settings.max_connections_per_server)
        return found


def make_room(remembered: dict[str, Any] | set[str]) -> None:
    """Forget everything of a kind where it is of too many base addresses already."""
    if len(remembered) >= MOST_SERVERS:
        remembered.clear()


_MEMORIES: WeakKeyDictionary[httpx.AsyncClient, Memory] = WeakKeyDictionary()


def remember(http: httpx.AsyncClient, settings: FhirSettings) -> Memory:
    """Give an HTTP client an empty memory with these limits."""
    etags = Etags(settings.etag_entries, settings.etag_bytes, settings.etag_s)
    return _MEMORIES.setdefault(http, Memory(settings, etags))


def memory_of(http: httpx.AsyncClient) -> Memory:
    """Return the memory of an HTTP client; one that `open_http` did not make gets one with the limits of the house."""
    found = _MEMORIES.get(http)
    return remember(http, FhirSettings.model_construct()) if found is None else found
