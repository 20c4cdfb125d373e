"""A hospital for the tests beside this file: HAPI with a token and patients in it, and an archive of films."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from pydantic import HttpUrl
from starlette.applications import Starlette

from cds_hooks.commands.running import bind
from cds_hooks.commands.transactions import send_transaction
from cds_hooks.sandbox.hospital import Sandbox
from cds_hooks.sandbox.patients import Samples, sample_patients
from fhir_adapter.settings import FhirSettings
from tests.integration import synthea
from tests.integration.hapi_server import hapi_server, why_not
from tests.sandbox.live import served

TOKEN = "a-token-of-the-tests"
NOW = datetime.now(UTC)
"""The moment at which every chart is opened: of today, because tokens end in real time."""
FHIR_JSON = "application/fhir+json"
OPTIONS = ("--require-token", TOKEN)


@dataclass(frozen=True, slots=True)
class Hospital:
    """What runs.

    Attributes:
        fhir: base URL of HAPI, which wants `TOKEN`.
        archive: a DICOMweb server with the demo's films.
        samples: the demo's patients as they were loaded.
        http: a client of HAPI with the token.
    """

    fhir: str
    archive: Sandbox
    samples: Samples
    http: httpx.Client

    @property
    def settings(self) -> FhirSettings:
        """Settings that allow both servers to be asked."""
        return FhirSettings(allowed_servers=(HttpUrl(self.fhir), HttpUrl(self.archive.dicomweb_url)))

    def get(self, path: str) -> Any:
        """Return what a GET answers, or fail."""
        return self.http.get(path).raise_for_status().json()


@pytest.fixture(scope="session")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hospital]:
    """HAPI with everybody in it, and the archive; both for all tests."""
    if reason := why_not(*OPTIONS):
        pytest.skip(reason)
    bound = bind("127.0.0.1", 0)
    archive = Sandbox.with_samples(f"http://127.0.0.1:{bound.getsockname()[1]}", now=NOW)
    samples = sample_patients(NOW, archive.dicomweb_url)
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": FHIR_JSON, "Content-Type": FHIR_JSON}
    log = tmp_path_factory.mktemp("hapi") / "hapi.log"
    with (
        hapi_server(log, *OPTIONS) as base,
        served(Starlette(routes=[*archive.routes()]), bound),
        httpx.Client(base_url=base, headers=headers, timeout=120) as http,
    ):
        send_transaction(http, base, samples.bundle, TOKEN)
        for name in () if synthea.why_not() else synthea.NAMES:
            send_transaction(http, base, synthea.as_puts(name, NOW), TOKEN)
        yield Hospital(base, archive, samples, http)
