"""Settings of the environment -> a web process or a worker process that runs until it is stopped."""

from __future__ import annotations

import socket

import uvicorn
from pydantic import AnyHttpUrl
from starlette.types import ASGIApp

from cds_hooks.ahead.targets import NotWatchable
from cds_hooks.app import create_app
from cds_hooks.commands.stopping import fail, told_plainly
from cds_hooks.engine import open_engine
from cds_hooks.log import configure_logging
from cds_hooks.settings import ServiceSettings
from cds_hooks.worker import run_worker
from fhir_adapter.settings import FhirSettings
from inference.checkpoint import CheckpointError

BACKLOG = 128
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared with, not bound to


def run_service(host: str, port: int) -> None:
    """Serve until SIGTERM or Ctrl-C.

    Raises:
        typer.Exit: the settings are wrong, there is no checkpoint, or the port is taken; said on stderr.
    """
    with told_plainly():
        settings = public_settings(host, port)
        configure_logging(settings.log_level, settings.log_format)
        app = _open_app(settings)
        listening = listen(host, port)
        uvicorn.Server(server_config(app)).run(sockets=[listening])


def _open_app(settings: ServiceSettings) -> ASGIApp:
    """Return the service, or end with a sentence."""
    try:
        return create_app(settings, FhirSettings())
    except (CheckpointError, NotWatchable) as error:
        raise fail(str(error)) from None


def public_settings(host: str, port: int) -> ServiceSettings:
    """Return the settings; where no public address is set, card links lead to where the service listens."""
    settings = ServiceSettings()
    if "public_url" in settings.model_fields_set:
        return settings
    name = "127.0.0.1" if host in EVERYWHERE else f"[{host}]" if ":" in host else host
    return ServiceSettings(public_url=AnyHttpUrl(f"http://{name}:{port}"))


def server_config(app: ASGIApp) -> uvicorn.Config:
    """Return how uvicorn serves: its own logging stays off, because addresses hold secrets."""
    return uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, ws="none", timeout_graceful_shutdown=5
    )


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Raises:
        typer.Exit: the address cannot be had; said on stderr.
    """
    try:
        return bind(host, port)
    except OSError as error:
        raise fail(f"cannot listen on {host} port {port}: {error.strerror}; choose another with --port") from None


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one.

    Raises:
        OSError: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol left open, asyncio does not recognise TCP and leaves Nagle's algorithm on: 40 ms an answer.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        # Whoever connects before the server is ready waits for it, instead of being turned away.
        bound.listen(BACKLOG)
    except OSError:
        bound.close()
        raise
    return bound


def run_worker_process() -> int:
    """Work until SIGTERM or Ctrl-C, and return the exit status.

    Raises:
        typer.Exit: the settings are wrong, or there is no checkpoint; said on stderr.
    """
    with told_plainly():
        settings, fhir = ServiceSettings(), FhirSettings()
        try:
            engine = open_engine(settings, fhir)
            return run_worker(settings, engine.open_pipeline, engine.card.seal)
        except (CheckpointError, ValueError) as error:
            raise fail(str(error)) from None
    return 0
