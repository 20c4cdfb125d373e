"""Settings -> the ASGI application: its routes, its middleware and its forms of error."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from cds_hooks import discovery, exports, feedback, health, pages, patient_view
from cds_hooks.ahead import notifications
from cds_hooks.ahead.targets import check_watched
from cds_hooks.engine import Engine, open_engine
from cds_hooks.errors import Issue, Refusal
from cds_hooks.lifespan import make_lifespan
from cds_hooks.log import configure_logging, get_logger
from cds_hooks.middleware import BodyLimit, Edge, HooksCors, RequestLog, SecurityHeaders
from cds_hooks.settings import ServiceSettings
from cds_hooks.wire import outcome_response, refusal_response
from explain.page import STATIC_DIR
from fhir_adapter.settings import FhirSettings

log = get_logger()


def create_app(settings: ServiceSettings, fhir: FhirSettings, *, engine: Engine | None = None) -> FastAPI:
    """Build the service, and send the logging of the process through `log`.

    Args:
        settings: of the service.
        fhir: of its FHIR and DICOMweb access.
        engine: what answers; the checkpoint of the settings where none is given.

    Raises:
        inference.checkpoint.CheckpointError: there is no usable checkpoint.
        sqlalchemy.exc.ArgumentError: the database URL is none.
        cds_hooks.ahead.targets.NotWatchable: what the settings ask to be watched cannot be.
    """
    # First of all, and here rather than in a command: without it structlog prints local variables into tracebacks.
    configure_logging(settings.log_level, settings.log_format)
    check_watched(settings, fhir)
    engine = engine or open_engine(settings, fhir)
    # No interactive documentation: its page loads scripts from elsewhere, and discovery describes the service.
    app = FastAPI(title="mllm-cds", lifespan=make_lifespan(settings, fhir, engine), openapi_url=None)
    for module in (discovery, feedback, patient_view, pages, exports, health, notifications):
        app.include_router(module.router)
    app.mount("/static", StaticFiles(directory=STATIC_DIR), name="static")
    app.add_exception_handler(Refusal, _on_refusal)
    app.add_exception_handler(HTTPException, _on_http_exception)
    # The last one added is the first one a request meets.
    app.add_middleware(BodyLimit, limit=settings.max_body_bytes)
    app.add_middleware(Edge)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(HooksCors, settings=settings)
    app.add_middleware(RequestLog)
    return app


def _on_refusal(_request: Request, error: Exception) -> Response:
    if not isinstance(error, Refusal):
        raise error
    log.info("refused", status=error.status, reason=" ".join(issue.code for issue in error.issues))
    return refusal_response(error)


def _on_http_exception(_request: Request, error: Exception) -> Response:
    """Answer what the router itself refuses: an unknown path, or another method."""
    if not isinstance(error, HTTPException):
        raise error
    code = {404: "not-found", 405: "not-supported"}.get(error.status_code, "processing")
    return outcome_response(error.status_code, Issue(code, f"{error.detail}."), headers=error.headers)
