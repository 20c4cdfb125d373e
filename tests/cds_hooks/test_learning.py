"""What the service asks of a FHIR server after it has answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from pydantic import HttpUrl
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from structlog.testing import capture_logs

from fhir_adapter.settings import FhirSettings
from tests.cds_hooks.fakes import running
from tests.cds_hooks.samples import make_hook
from tests.sandbox.live import served


@dataclass
class Ehr:
    """A server that knows nothing but its CapabilityStatement; it keeps what it was asked."""

    url: str = ""
    statement: object = None
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: Request) -> Response:
        """Answer one request."""
        self.asked.append(request.path_params["path"])
        return JSONResponse(self.statement if request.path_params["path"] == "metadata" else {"resourceType": "Basic"})

    @property
    def settings(self) -> FhirSettings:
        """Settings that allow it."""
        return FhirSettings(allowed_servers=(HttpUrl(self.url),))


@pytest.fixture
def ehr() -> Iterator[Ehr]:
    ehr = Ehr(statement={"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"})
    with served(Starlette(routes=[Route("/{path:path}", ehr.answer)])) as ehr.url:
        yield ehr


async def test_server_is_asked_once_what_it_offers(ehr: Ehr) -> None:
    """The first hook has the server asked, the next ones do not."""
    async with running(fhir=ehr.settings) as service:
        for _ in range(3):
            assert (await service.fire(make_hook(fhirServer=ehr.url))).status_code == 200

    assert ehr.asked.count("metadata") == 1


@pytest.mark.parametrize("statement", [{"resourceType": "CapabilityStatement", "fhirVersion": "3.0.2"}, [], "x"])
async def test_server_that_cannot_be_learnt_is_logged(ehr: Ehr, statement: object) -> None:
    """A server of another FHIR version, or one that talks nonsense, is told to the operator; hooks are answered."""
    ehr.statement = statement
    async with running(fhir=ehr.settings) as service:
        with capture_logs() as logged:
            responses = [await service.fire(make_hook(fhirServer=ehr.url)) for _ in range(2)]

    assert [response.status_code for response in responses] == [200, 200]
    assert [each["error"] for each in logged if each["event"] == "server_not_learnt"] == ["FhirMalformed"]
    assert ehr.asked.count("metadata") == 1


async def test_server_that_is_not_allowed_is_asked_nothing(ehr: Ehr) -> None:
    """Without an entry in the list of allowed servers no request goes out."""
    async with running() as service:
        assert (await service.fire(make_hook(fhirServer=ehr.url))).status_code == 200

    assert ehr.asked == []
