"""GET /cds-services: what this service is, which hook it answers and what it would like to have prefetched."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from fastapi import APIRouter, Request, Response

from cds_hooks.engine import Engine
from cds_hooks.parts import parts_of
from cds_hooks.protocol import HOOK, HOOK_VERSION, Service, Services
from cds_hooks.settings import ServiceSettings
from cds_hooks.wire import json_response
from fhir_adapter.prefetch import TEMPLATES

SERVICE_ID: Final = "mllm-diagnosis"
router = APIRouter()


@cache
def program_version() -> str:
    """Return the version of this program; `0` in a source tree that was never installed."""
    try:
        return version("mllm-cds")
    except PackageNotFoundError:
        return "0"


def describe(engine: Engine, settings: ServiceSettings) -> Services:
    """Return the discovery document."""
    service = Service(
        id=SERVICE_ID,
        hook=HOOK,
        title="Which diagnosis do film, notes and measurements support?",
        description=(
            "Reads the newest frontal chest radiograph, the newest note and the current measurements of the patient "
            "with a multimodal model and says which diagnoses they support, how sure the model is, what it did not "
            f"have and what it weighed. {engine.card.scope}"
        ),
        prefetch=dict(TEMPLATES),
        usage_requirements=(
            "Needs the Patient resource. Works on prefetched data alone; films and notes kept as Binary are read over "
            "fhirServer and DICOMweb where access is given. Without them the card says what was missing."
        ),
        version=program_version(),
        hook_version=HOOK_VERSION,
        potentially_long_running=True if settings.long_running_hint else None,
    )
    return Services(services=(service,))


@router.get("/cds-services")
async def discover(request: Request) -> Response:
    """Answer discovery (CDS Hooks, "Discovery")."""
    parts = parts_of(request)
    return json_response(describe(parts.engine, parts.settings).to_wire())
