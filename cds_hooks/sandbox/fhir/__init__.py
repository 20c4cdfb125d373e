"""The FHIR server of the sandbox: it answers as HAPI FHIR does, where `tests/fhir_server` does not say otherwise."""

from cds_hooks.sandbox.fhir.app import fhir_app, fhir_routes
from cds_hooks.sandbox.fhir.options import ServerOptions

__all__ = ["ServerOptions", "fhir_app", "fhir_routes"]
