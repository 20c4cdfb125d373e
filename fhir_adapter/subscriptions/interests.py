"""Queries of a chart -> the searches whose results, when they change, change the chart. No network.

Narrower would be wrong: a result that no model reads still makes another chart of it, and what was computed before it
came is then not found again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fhir_adapter.prefetch import TEMPLATES
from fhir_adapter.shape import Resource, as_dict, codes_of


@dataclass(frozen=True, slots=True)
class Interest:
    """A search without its patient and its dates.

    Attributes:
        name: key of the template it was made from, such as `labs`.
        resource_type: what is searched for.
        filters: the remaining search parameters, such as `category=laboratory`.
    """

    name: str
    resource_type: str
    filters: tuple[tuple[str, str], ...] = ()

    @property
    def criteria(self) -> str:
        """The search as one line (R4 Subscription.criteria): `Observation?category=laboratory`."""
        return f"{self.resource_type}?{'&'.join(f'{name}={value}' for name, value in self.filters)}"

    def covers(self, resource: Resource) -> bool:
        """Whether a resource is of this interest, as far as its type and category tell.

        A resource that does not say its category may well be: being asked once too often is cheaper than to miss it.
        """
        if resource.get("resourceType") != self.resource_type:
            return False
        tokens = filter(None, dict(self.filters).get("category", "").split(","))
        wanted = {token.rpartition("|")[2] for token in tokens}
        have = _categories(resource)
        return not wanted or not have or bool(wanted & have)


def _categories(resource: Resource) -> set[str]:
    category = resource.get("category")
    concepts = category if isinstance(category, list) else [category]
    return {code for concept in concepts for _, code in codes_of(as_dict(concept))}


def interests_of(templates: Mapping[str, str]) -> tuple[Interest, ...]:
    """Return one interest for each search among prefetch templates; a read, such as `Patient/…`, is none."""
    searches = {name: template.partition("?") for name, template in templates.items() if "?" in template}
    return tuple(Interest(name, kind, _lasting(query)) for name, (kind, _, query) in searches.items())


def _lasting(query: str) -> tuple[tuple[str, str], ...]:
    """Leave out what depends on patient and day, and what shapes the result."""
    pairs = (pair.partition("=") for pair in query.split("&"))
    return tuple((name, value) for name, _, value in pairs if "{{" not in value and not name.startswith("_"))


INTERESTS: Final = interests_of(TEMPLATES)
"""Vital signs, laboratory results, documents, reports and imaging studies."""
