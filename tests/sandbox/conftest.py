from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from cds_hooks.sandbox.chart import chart_routes
from cds_hooks.sandbox.hospital import Sandbox
from cds_hooks.sandbox.patients import Samples, sample_patients
from tests.sandbox.films import write_stripes

NOW = datetime(2026, 11, 24, 9, 14, tzinfo=UTC)


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_stripes(tmp_path_factory.mktemp("films"))


@pytest.fixture(scope="session")
def samples(films: Path) -> Samples:
    return sample_patients(NOW, "http://testserver/dicom-web", films=films)


@pytest.fixture
def sandbox(films: Path) -> Sandbox:
    return Sandbox.with_samples("http://testserver", now=NOW, films=films)


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=[*sandbox.routes(), *chart_routes(sandbox)])) as client:
        yield client
