"""Service and sandbox on a real port, with a checkpoint that has learned nothing and judges every child."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import uvicorn
from pydantic import HttpUrl
from starlette.types import ASGIApp

from cds_hooks.commands.running import bind, server_config
from cds_hooks.sandbox.combined import combined_app
from cds_hooks.sandbox.demonstration import demo_fhir_settings, demo_settings
from cds_hooks.sandbox.films import FOLDER
from cds_hooks.sandbox.hospital import Sandbox
from cds_hooks.settings import ServiceSettings
from fhir_adapter.settings import FhirSettings
from tests.inference.tiny_checkpoint import make_checkpoint, tiny_settings


@dataclass(frozen=True, slots=True)
class Live:
    """What runs."""

    url: str
    sandbox: Sandbox
    settings: ServiceSettings


@contextmanager
def served(app: ASGIApp, socket_: object = None) -> Iterator[str]:
    """Serve an application on a free port of this machine."""
    bound = socket_ if socket_ is not None else bind("127.0.0.1", 0)
    server = uvicorn.Server(server_config(app))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"  # type: ignore[attr-defined]
    finally:
        server.should_exit = True
        thread.join()


def open_checkpoint(folder: Path) -> Path:
    """Write a checkpoint whose scope takes any note, view and film of a child."""
    settings = tiny_settings()
    settings["scope"] |= {"max_unfamiliar_words": 1.0, "image_gate_threshold": 1e9}
    make_checkpoint(folder, settings)
    return folder


@contextmanager
def live_demo(folder: Path, films: Path | None, *allowed: str, now: datetime | None = None) -> Iterator[Live]:
    """Run what `mllm-cds demo` runs.

    Args:
        folder: for the database and the checkpoint.
        films: of the sample patients, judged by a checkpoint that has learned nothing; None for the films and the
            checkpoint that ship.
        allowed: more FHIR servers the service may ask.
        now: moment the samples are built around.
    """
    bound = bind("127.0.0.1", 0)
    url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    sandbox = Sandbox.with_samples(url, now=now, films=films or FOLDER)
    checkpoint = open_checkpoint(folder / "checkpoint") if films else None
    settings = demo_settings(url, folder).model_copy(update={"checkpoint": checkpoint})
    own = demo_fhir_settings(sandbox).allowed_servers
    fhir = FhirSettings(allowed_servers=(*own, *(HttpUrl(server) for server in allowed)))
    with served(combined_app(sandbox, settings, fhir), bound):
        yield Live(url, sandbox, settings)
