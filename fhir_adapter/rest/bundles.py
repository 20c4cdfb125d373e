"""Bundle of a search -> what matched, what came along, and where it goes on. No network."""

from __future__ import annotations

from dataclasses import dataclass

from fhir_adapter.errors import FhirMalformed
from fhir_adapter.shape import Resource, as_dict, as_text, dicts_of


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search.

    Attributes:
        matches: resources of the type searched for.
        others: what was included with them, such as Endpoints.
        next_url: address of the next page, or an empty string.
        empty: whether the page has no entry at all.
        total: how many matches there are on all pages, where the server says so (R4 Bundle.total, often absent).
    """

    matches: tuple[Resource, ...]
    others: tuple[Resource, ...]
    next_url: str
    empty: bool
    total: int | None = None


def read_page(bundle: object, resource_type: str, what: str) -> Page:
    """Read a Bundle (R4 Bundle, search.mode); `what` names it in the message.

    Raises:
        FhirMalformed: not a Bundle, or an entry that is no object.
    """
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise FhirMalformed(what, "a Bundle is expected here")
    entries = [] if bundle.get("entry") is None else bundle["entry"]
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise FhirMalformed(what, "an entry of the Bundle is not an object")
    matches: list[Resource] = []
    others: list[Resource] = []
    for entry in entries:
        resource = entry.get("resource") or {}
        if not isinstance(resource, dict):
            raise FhirMalformed(what, "a resource of the Bundle is not an object")
        # Servers may leave the mode out; then the type decides.
        matched = as_dict(entry.get("search")).get("mode", "match") == "match"
        (matches if matched and resource.get("resourceType") == resource_type else others).append(resource)
    total = bundle.get("total")
    stated = total if isinstance(total, int) and not isinstance(total, bool) else None
    return Page(tuple(matches), tuple(others), _next_of(bundle), empty=not entries, total=stated)


def _next_of(bundle: Resource) -> str:
    links = dicts_of(bundle.get("link"))
    return next((as_text(link.get("url")) for link in links if link.get("relation") == "next"), "")
