"""Resource -> part of it, marked SUBSETTED so that nobody takes it for the whole (FHIR R4 search, `_elements`)."""

from __future__ import annotations

from typing import Final

from cds_hooks.sandbox.fhir.query import Query
from cds_hooks.sandbox.resources import Resource

SUBSETTED: Final = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
_ALWAYS: Final = ("resourceType", "id", "meta")


def subset(resource: Resource, query: Query) -> Resource:
    """Return what `_elements` and `_summary=data` leave of a resource; all of it where neither was asked for."""
    if query.elements:
        return _marked({name: value for name, value in resource.items() if name in (*_ALWAYS, *query.elements)})
    if query.summary == "data":
        return _marked({name: value for name, value in resource.items() if name != "text"})
    return resource


def _marked(part: Resource) -> Resource:
    meta = part.get("meta", {})
    return part | {"meta": meta | {"tag": [*meta.get("tag", ()), SUBSETTED]}}
