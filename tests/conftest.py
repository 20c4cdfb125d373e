from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

# Threads that spin while they wait make two busy cores slower than one: tests use one thread for each library.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from tests.integration.hapi_server import hapi_server, why_not  # noqa: E402 -- after the variables


@pytest.fixture(scope="session")
def hapi_base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Base address of the one HAPI FHIR server of this session, with its usual settings."""
    if reason := why_not():
        pytest.skip(reason)
    with hapi_server(tmp_path_factory.mktemp("hapi") / "hapi.log") as base:
        yield base
