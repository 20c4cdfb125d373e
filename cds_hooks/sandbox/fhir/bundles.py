"""A search -> one page of it as a searchset Bundle, linked as HAPI links its pages (FHIR R4 http, paging)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from cds_hooks.sandbox.fhir.kept import Search
from cds_hooks.sandbox.fhir.matching import included
from cds_hooks.sandbox.fhir.query import Pairs
from cds_hooks.sandbox.fhir.subset import SUBSETTED, subset
from cds_hooks.sandbox.resources import Resource, ResourceStore

COUNTED_AT_ONCE: Final = 13
"""HAPI looks for so many matches first; it knows the total of a search that has no more."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a search a page lies, and how it was asked for.

    Attributes:
        base: base address for links.
        own_url: address of the page itself.
        offset: matches before it.
        count: matches on it, at most.
        pairs: parameters of the search, where its pages are linked by `_offset` and not by a search id.
    """

    base: str
    own_url: str
    offset: int
    count: int
    pairs: Pairs | None = None


def self_url(base: str, kind: str, pairs: Pairs) -> str:
    """Return the address of a search, its parameters sorted as HAPI does."""
    return f"{base}/{kind}" + (f"?{urlencode(sorted(pairs), safe='*')}" if pairs else "")


def searchset(store: ResourceStore, search: Search, place: Place) -> Resource:
    """Return one page of a search."""
    matches = search.matches[place.offset : place.offset + place.count]
    entries = [_entry(place.base, subset(one, search.query), "match") for one in matches]
    entries += [_entry(place.base, one, "include") for one in included(store, matches, search.query)]
    links = [{"relation": relation, "url": url} for relation, url in _links(search, place)]
    return {
        "resourceType": "Bundle",
        "id": search.id,
        "meta": {"lastUpdated": search.made_at},
        "type": "searchset",
        **({"total": len(search.matches)} if _total_is_known(search, place) else {}),
        "link": links,
        **({"entry": entries} if entries else {}),
    }


def count_only(search: Search) -> Resource:
    """Return the number of matches and nothing else."""
    meta = {"lastUpdated": search.made_at, "tag": [SUBSETTED]}
    return {
        "resourceType": "Bundle",
        "id": search.id,
        "meta": meta,
        "type": "searchset",
        "total": len(search.matches),
    }


def has_more(search: Search, place: Place) -> bool:
    """Tell whether matches follow behind a page."""
    return place.offset + place.count < len(search.matches)


def _total_is_known(search: Search, place: Place) -> bool:
    """Tell whether HAPI would say the total: it stops to look once a page is full."""
    few = len(search.matches) <= COUNTED_AT_ONCE
    return few or search.query.wants_total or not has_more(search, place)


def _links(search: Search, place: Place) -> Iterator[tuple[str, str]]:
    """Yield relation and address of the page itself and of its neighbours."""
    yield "self", place.own_url
    if has_more(search, place):
        yield "next", _page_url(search, place, place.offset + place.count)
    if place.offset > 0:
        # From beyond the end the way back leads to the last page.
        yield "previous", _page_url(search, place, max(0, min(place.offset, len(search.matches)) - place.count))


def _page_url(search: Search, place: Place, offset: int) -> str:
    if place.pairs is not None:
        others = [pair for pair in place.pairs if pair[0] not in ("_offset", "_count")]
        pages = [("_count", str(place.count)), ("_offset", str(offset))]
        return self_url(place.base, search.query.kind, [*others, *pages])
    includes = "".join(f"&_include={quote(one, safe='*')}" for one in search.query.includes)
    elements = f"&_elements={','.join(search.query.elements)}" if search.query.elements else ""
    return (
        f"{place.base}?_getpages={search.id}&_getpagesoffset={offset}&_count={place.count}"
        f"&_pretty=true{includes}&_bundletype=searchset{elements}"
    )


def _entry(base: str, resource: Resource, mode: str) -> Resource:
    """Return one entry of a searchset."""
    url = f"{base}/{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": url, "resource": resource, "search": {"mode": mode}}
