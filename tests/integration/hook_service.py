"""The service with the shipped checkpoint on a real port; its clock stands, as the model takes the age of values."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from pydantic import AnyHttpUrl, SecretStr

from cds_hooks.app import create_app
from cds_hooks.commands.running import bind
from cds_hooks.parts import Parts
from cds_hooks.settings import ServiceSettings
from fhir_adapter.settings import FhirSettings
from tests.sandbox.live import served

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class HookService:
    """A running service and a client of it."""

    app: FastAPI
    settings: ServiceSettings
    http: httpx.Client

    @property
    def parts(self) -> Parts:
        """What the service is made of."""
        parts: Parts = self.app.state.parts
        return parts

    def templates(self) -> dict[str, str]:
        """Return the prefetch templates of discovery."""
        (service,) = self.http.get("/cds-services").json()["services"]
        templates: dict[str, str] = service["prefetch"]
        return templates

    def fire(self, hook: Json) -> httpx.Response:
        """Call the hook."""
        return self.http.post("/cds-services/mllm-diagnosis", json=hook)


@contextmanager
def hook_service(
    folder: Path, fhir: FhirSettings, asked_at: datetime, *, checks: bool = False
) -> Iterator[HookService]:
    """Run the service.

    Args:
        folder: for its database.
        fhir: the servers it may ask.
        asked_at: the moment of every hook; how long pages and results live is told by the real clock.
        checks: whether the second tier runs, and a tested result answers later hooks; without it no result answers
            twice, so that every hook is judged anew.
    """
    bound = bind("127.0.0.1", 0)
    url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    settings = ServiceSettings(
        public_url=AnyHttpUrl(url),
        state_dir=folder,
        database_url=None,
        broker_url=SecretStr("memory://"),
        secret_key=None,
        answer_within_s=20.0,
        result_lifetime=timedelta(hours=1) if checks else timedelta(microseconds=1),
        checks=checks,
        log_level="ERROR",
    )
    app = create_app(settings, fhir)
    with served(app, bound), httpx.Client(base_url=url, timeout=60) as http:
        # Answered when the application has started: until then it has no parts.
        http.get("/healthz").raise_for_status()
        parts: Parts = app.state.parts
        store = dataclasses.replace(parts.store, clock=lambda: asked_at)
        app.state.parts = dataclasses.replace(parts, store=store)
        yield HookService(app, settings, http)
