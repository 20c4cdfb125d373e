"""Resource -> whether a machine wrote it: above all, our own earlier answers must not come back as evidence."""

from __future__ import annotations

from typing import Final

from fhir_adapter.shape import Resource, as_dict, as_text, codes_of, dicts_of

_AI_ASSERTED: Final = ("http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "AIAST")
_AI_PROFILES: Final = "http://hl7.org/fhir/uv/aitransparency/"
_OURS: Final = "urn:x-mllm-cds:"
"""Begin of every code system of this project's own resources; `explain.fhir.codes` writes them."""
_AUTHORS: Final = ("performer", "resultsInterpreter", "author", "authenticator")
_PEOPLE: Final = ("Practitioner", "PractitionerRole", "CareTeam", "RelatedPerson", "Patient")


def is_by_machine(resource: Resource) -> bool:
    """Say whether a document or report is an algorithm's: by its labels, its profile, its code, or its authors.

    A Device beside a person is the scanner or the dictation system of that person, and not the author.
    """
    meta = as_dict(resource.get("meta"))
    labels = [*dicts_of(meta.get("security")), *dicts_of(meta.get("tag"))]
    if any((as_text(one.get("system")), as_text(one.get("code"))) == _AI_ASSERTED for one in labels):
        return True
    profiles = meta.get("profile")
    if any(as_text(one).startswith(_AI_PROFILES) for one in (profiles if isinstance(profiles, list) else [])):
        return True
    systems = [system for name in ("code", "type") for system, _ in codes_of(resource.get(name))]
    systems += [as_text(one.get("system")) for one in dicts_of(resource.get("identifier"))]
    return any(system.startswith(_OURS) for system in systems) or _by_device(resource)


def _by_device(resource: Resource) -> bool:
    kinds = [_kind(one, resource) for name in _AUTHORS for one in _references(resource.get(name))]
    return "Device" in kinds and not any(kind in _PEOPLE for kind in kinds)


def _references(value: object) -> list[Resource]:
    return [value] if isinstance(value, dict) else list(dicts_of(value))


def _kind(reference: Resource, resource: Resource) -> str:
    """Return the resource type that a Reference names, also of a contained resource."""
    written = as_text(reference.get("reference"))
    if written.startswith("#"):
        inner = (one for one in dicts_of(resource.get("contained")) if one.get("id") == written[1:])
        return next((as_text(one.get("resourceType")) for one in inner), "")
    return as_text(reference.get("type")) or written.partition("/_history/")[0].rpartition("/")[0].rpartition("/")[2]
