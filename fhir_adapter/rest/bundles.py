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
        partial: whether the server says that it left something out: an OperationOutcome of severity `error` or
            `fatal` among the entries or in `Bundle.issues` (R5), warnings being sent with many a sound answer; the
            tag SUBSETTED on a match or on the Bundle, as `_count=0` has it; a link to a next page that is no text.
    """

    matches: tuple[Resource, ...]
    others: tuple[Resource, ...]
    next_url: str
    empty: bool
    partial: bool = False
    total: int | None = None


def read_page(bundle: object, resource_type: str, what: str, *, parts: bool = False) -> Page:
    """Read a Bundle (R4 Bundle, search.mode); `what` names it in the message.

    With `parts` only parts of each resource were asked for, and that the server says so is no news.

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
    failures = any(map(_is_failure, (as_dict(bundle.get("issues")), *others)))
    next_url, leads_nowhere = _next_of(bundle)
    partial = failures or leads_nowhere or (not parts and any(map(is_subsetted, (bundle, *matches))))
    total = bundle.get("total")
    stated = total if isinstance(total, int) and not isinstance(total, bool) else None
    return Page(tuple(matches), tuple(others), next_url, empty=not entries, partial=partial, total=stated)


def is_subsetted(resource: Resource) -> bool:
    """Whether a server says that it sent a part of this only (R4 3.1.1.5, tag SUBSETTED; v3-ObservationValue)."""
    meta = as_dict(resource.get("meta"))
    return any(tag.get("code") == "SUBSETTED" for tag in dicts_of(meta.get("tag")))


def _is_failure(resource: Resource) -> bool:
    if resource.get("resourceType") != "OperationOutcome":
        return False
    return any(issue.get("severity") in ("error", "fatal") for issue in dicts_of(resource.get("issue")))


def _next_of(bundle: Resource) -> tuple[str, bool]:
    """Return the address of the next page, and whether there is one that cannot be told."""
    links = dicts_of(bundle.get("link"))
    stated = next((link.get("url") for link in links if link.get("relation") == "next"), None)
    # Null and an empty text are how a careless server says that there is none.
    return as_text(stated), stated is not None and not isinstance(stated, str)
