"""CapabilityStatement -> which FHIR version a server speaks, and what it can be asked. No network.

R4, R4B and R5 have the same shape here (CapabilityStatement.rest).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from fhir_adapter.errors import FhirMalformed
from fhir_adapter.shape import Resource, as_dict, as_text, codes_of, dicts_of


class FhirVersion(StrEnum):
    """The versions this package reads; the value is what `fhirVersion` starts with."""

    R4 = "4.0"
    R4B = "4.3"
    R5 = "5.0"


@dataclass(frozen=True, slots=True)
class TypeCapability:
    """What can be done with one resource type.

    Attributes:
        interactions: codes such as `read` and `search-type`; empty where the server does not list them.
        search_params: names of search parameters, those for all types included.
        includes: values that `_include` takes.
    """

    interactions: frozenset[str] = frozenset()
    search_params: frozenset[str] = frozenset()
    includes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a server says of itself.

    Attributes:
        version: its FHIR version.
        software: name and version of the program, as it calls itself; may be empty.
        types: by resource type.
        interactions: of the whole system, such as `batch` and `transaction`.
        security: codes of the security services, such as `SMART-on-FHIR`.
    """

    version: FhirVersion
    software: str = ""
    types: Mapping[str, TypeCapability] = field(default_factory=dict)
    interactions: frozenset[str] = frozenset()
    security: frozenset[str] = frozenset()

    def serves(self, resource_type: str, interaction: str = "search-type") -> bool:
        """Whether a type can be searched (or read); a server that lists no interactions is taken to know them all."""
        found = self.types.get(resource_type)
        return found is not None and (not found.interactions or interaction in found.interactions)

    def knows(self, resource_type: str, parameter: str) -> bool:
        """Whether a search parameter is listed for a type."""
        found = self.types.get(resource_type)
        return found is not None and parameter in found.search_params


def read_capabilities(statement: Resource) -> Capabilities:
    """Read a CapabilityStatement.

    Raises:
        FhirMalformed: it is none, or of a FHIR version that this package does not read; the message says which are.
    """
    if statement.get("resourceType") != "CapabilityStatement":
        raise FhirMalformed("CapabilityStatement", "the server sent something else")
    text = as_text(statement.get("fhirVersion"))
    version = next((each for each in FhirVersion if text == each.value or text.startswith(f"{each.value}.")), None)
    if version is None:
        raise FhirMalformed("CapabilityStatement", "its FHIR version is none of R4, R4B and R5: use an R4 endpoint")
    # A statement may describe clients too (rest.mode); only the server's half counts.
    rest = next((each for each in dicts_of(statement.get("rest")) if each.get("mode") == "server"), {})
    everywhere = _names(rest.get("searchParam"))
    return Capabilities(
        version=version,
        software=_software(as_dict(statement.get("software"))),
        types={as_text(each.get("type")): _type(each, everywhere) for each in dicts_of(rest.get("resource"))},
        interactions=_names(rest.get("interaction"), "code"),
        security=frozenset(
            code for service in dicts_of(as_dict(rest.get("security")).get("service")) for _, code in codes_of(service)
        ),
    )


def _type(content: Resource, everywhere: frozenset[str]) -> TypeCapability:
    includes = content.get("searchInclude")
    return TypeCapability(
        interactions=_names(content.get("interaction"), "code"),
        search_params=_names(content.get("searchParam")) | everywhere,
        includes=frozenset(filter(None, map(as_text, includes if isinstance(includes, list) else ()))),
    )


def _names(items: object, key: str = "name") -> frozenset[str]:
    return frozenset(name for item in dicts_of(items) if (name := as_text(item.get(key))))


def _software(content: Resource) -> str:
    return f"{as_text(content.get('name'))} {as_text(content.get('version'))}".strip()
