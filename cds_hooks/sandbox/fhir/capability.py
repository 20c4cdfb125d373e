"""What the server says of itself (FHIR R4 CapabilityStatement)."""

from __future__ import annotations

from cds_hooks.sandbox.fhir.options import ServerOptions
from cds_hooks.sandbox.fhir.parameters import includes_of, parameters_of
from cds_hooks.sandbox.resources import TYPES, Resource
from fhir_adapter.media_types import FHIR_JSON


def capability_statement(base: str, options: ServerOptions) -> Resource:
    """Return what can be done with this server, no more and no less."""
    security = {"security": {"description": "Every request needs a bearer token."}} if options.token else {}
    system = ["batch", *(["transaction"] if options.writes else [])]
    rest = {
        "mode": "server",
        **security,
        "resource": [_of_type(kind, options) for kind in TYPES],
        "interaction": [{"code": code} for code in system],
    }
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-11-24",
        "kind": "instance",
        "software": {"name": "mllm-cds sandbox"},
        "implementation": {
            "description": "Fictitious patients" + ("" if options.writes else "; read-only"),
            "url": base,
        },
        "fhirVersion": "4.0.1",
        "format": [FHIR_JSON],
        "rest": [rest],
    }


def _of_type(kind: str, options: ServerOptions) -> Resource:
    """Return what can be done with one type."""
    codes = ["read", "vread", "history-instance", "search-type"]
    codes += ["create", "update", "delete"] if options.writes else []
    includes = list(includes_of(kind))
    return {
        "type": kind,
        "interaction": [{"code": code} for code in codes],
        "versioning": "versioned-update" if options.writes else "versioned",
        **({"readHistory": True, "updateCreate": options.writes}),
        **({"searchInclude": ["*", *includes]} if includes else {}),
        "searchParam": [{"name": name, "type": one.kind} for name, one in parameters_of(kind).items()],
    }
