from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette

from cds_hooks.sandbox.fhir import ServerOptions, fhir_routes
from cds_hooks.sandbox.resources import ResourceStore
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.transport import open_http
from tests.fhir_server.server import FhirServer, opened
from tests.integration.hapi_server import hapi_server, why_not
from tests.sandbox.live import served

TOKEN = "abc"
STRICT = ["--require-token", TOKEN, "--page-size", "5", "--max-page-size", "5"]
STRICT += ["--client-ids", "ALPHANUMERIC", "--enforce-references", "--binary-externalize-bytes", "1000"]


def hapi_param(*options: str) -> object:
    reason = why_not(*options)
    marks = [pytest.mark.hapi, pytest.mark.skipif(bool(reason), reason=reason or "it can be started")]
    return pytest.param("hapi", marks=marks)


BOTH = ["embedded", hapi_param()]


@contextmanager
def embedded_server(options: ServerOptions) -> Iterator[str]:
    """Serve an empty store on a free port."""
    with served(Starlette(routes=fhir_routes("/fhir", ResourceStore(), options))) as url:
        yield f"{url}/fhir"


@pytest.fixture(scope="session")
def embedded() -> Iterator[FhirServer]:
    with embedded_server(ServerOptions(writes=True)) as base, opened("embedded", base) as server:
        yield server


@pytest.fixture(scope="session")
def hapi(hapi_base: str) -> Iterator[FhirServer]:
    with opened("hapi", hapi_base) as server:
        yield server


@pytest.fixture(params=BOTH)
def server(request: pytest.FixtureRequest) -> FhirServer:
    """Each of the two servers, with its usual settings."""
    chosen: FhirServer = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture(scope="session")
def embedded_strict() -> Iterator[FhirServer]:
    options = ServerOptions(writes=True, token=SecretStr(TOKEN), page_size=5, max_page_size=5)
    with embedded_server(options) as base, opened("embedded", base, TOKEN) as server:
        yield server


@pytest.fixture(scope="session")
def hapi_strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FhirServer]:
    log = tmp_path_factory.mktemp("hapi-strict") / "hapi.log"
    with hapi_server(log, *STRICT) as base, opened("hapi", base, TOKEN) as server:
        yield server


@pytest.fixture(params=["embedded", hapi_param(*STRICT)])
def strict(request: pytest.FixtureRequest) -> FhirServer:
    """Each of the two servers with a token and pages of five; HAPI also checks references and refuses numeric ids."""
    chosen: FhirServer = request.getfixturevalue(f"{request.param}_strict")
    return chosen


@pytest.fixture
async def client(server: FhirServer) -> AsyncIterator[FhirClient]:
    """The client of the adapter, on each of the two servers."""
    settings = server.fhir_settings()
    async with open_http(settings) as http:
        yield FhirClient(http, server.base, None, settings)
