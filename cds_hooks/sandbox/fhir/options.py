"""What can be set about the sandbox's FHIR server, and what each of its handlers needs."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import SecretStr

from cds_hooks.sandbox.fhir.kept import KeptSearches
from cds_hooks.sandbox.resources import ResourceStore


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """The defaults are those of HAPI FHIR, but nothing can be written.

    Attributes:
        writes: whether resources can be put, posted and deleted over HTTP.
        token: bearer token that every request needs; None for no check.
        page_size: matches on a page where `_count` is not given.
        max_page_size: the most that `_count` brings.
        search_life_s: seconds for which a search can be paged on after it was last used.
        max_searches: searches kept for paging at once; the one unused longest goes first.
    """

    writes: bool = False
    token: SecretStr | None = None
    page_size: int = 20
    max_page_size: int = 200
    search_life_s: float = 3600.0
    max_searches: int = 1000


@dataclass(frozen=True, slots=True)
class Server:
    """What the handlers of one server share."""

    store: ResourceStore
    options: ServerOptions
    kept: KeptSearches

    @classmethod
    def over(cls, store: ResourceStore, options: ServerOptions) -> Server:
        """Return a server that has not been asked anything yet."""
        return cls(store, options, KeptSearches(options.max_searches, options.search_life_s))
