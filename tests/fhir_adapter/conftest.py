from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import pytest_asyncio
import stamina

from fhir_adapter.rest.transport import open_http
from fhir_adapter.settings import FhirSettings
from tests.fhir_adapter.outcomes import ReadSpoiled


@pytest.fixture(autouse=True)
def no_pauses() -> Iterator[None]:
    """Let retries follow at once: no test waits."""
    with stamina.set_testing(True, attempts=10, cap=True):
        yield


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def process_http() -> AsyncIterator[httpx.AsyncClient]:
    """One HTTP client for all tests of a module, as a process has one for all patients."""
    async with open_http(FhirSettings()) as http:
        yield http


@pytest.fixture
def read_spoiled(process_http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture) -> ReadSpoiled:
    return ReadSpoiled(process_http, caplog)
