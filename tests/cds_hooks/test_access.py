"""fhirServer and fhirAuthorization of a hook: what may be asked with them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from pydantic import HttpUrl

from cds_hooks.access import open_client, read_grant
from cds_hooks.protocol import FhirAuthorization
from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import FhirRefused, ServerNotAllowed, TokenRefused
from fhir_adapter.record import GapReason
from fhir_adapter.settings import BackendClient, FhirSettings
from tests.cds_hooks.fakes import running
from tests.cds_hooks.samples import (
    ASKED_AT,
    PATIENT_ID,
    SERVER,
    TOKEN,
    make_authorization,
    make_hook,
    make_patient,
)

FHIR = FhirSettings(allowed_servers=(HttpUrl(SERVER),))


def authorization(**changes: object) -> FhirAuthorization:
    return FhirAuthorization(**make_authorization(**changes))


def test_hook_without_authorization_grants_nothing() -> None:
    """No token, no grant."""
    assert read_grant(None, ASKED_AT) is None


@pytest.mark.parametrize(("expires_in", "seconds"), [(300, 300), (1, 1), (10**18, 366 * 86_400)])
def test_expiry_counts_from_when_the_hook_came(expires_in: int, seconds: int) -> None:
    """`expires_in` is a number of seconds from now on, and no number is too large."""
    grant = read_grant(authorization(expires_in=expires_in), ASKED_AT)

    assert grant is not None
    assert grant.expires_at == ASKED_AT + timedelta(seconds=seconds)


def test_grant_holds_all_that_limits_it() -> None:
    """Token, scope and patient go with the case."""
    grant = read_grant(authorization(scope="patient/*.rs", patient=PATIENT_ID), ASKED_AT)

    assert grant is not None
    assert (grant.token.get_secret_value(), grant.scope, grant.patient_id) == (TOKEN, "patient/*.rs", PATIENT_ID)


def test_site_without_servers_opens_none() -> None:
    """Where no server is allowed none is asked, whatever address comes along; nor where none is named."""
    assert open_client(httpx.AsyncClient(), SERVER, None, FhirSettings()) is None
    assert open_client(httpx.AsyncClient(), None, None, FHIR) is None


def test_server_that_is_not_listed_is_refused() -> None:
    """`fhirServer` comes from outside."""
    with pytest.raises(ServerNotAllowed):
        open_client(httpx.AsyncClient(), "https://evil.example.org/fhir", None, FHIR)


class Asked:
    """A server that refuses everybody, and keeps the tokens it was shown."""

    def __init__(self) -> None:
        self.tokens: list[str | None] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Refuse."""
        self.tokens.append(request.headers.get("authorization"))
        return httpx.Response(403)


@pytest.mark.parametrize("own", [False, True])
async def test_service_asks_with_its_own_access_only_where_told_so(own: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """A hook without a token is not answered with what only this service may read."""
    server = Asked()
    http = httpx.AsyncClient(transport=httpx.MockTransport(server))
    registered = BackendClient(client_id="mllm-cds", keys=tmp_path / "none.json", token_url=HttpUrl(SERVER))
    settings = FhirSettings(allowed_servers=(HttpUrl(SERVER),), clients={HttpUrl(SERVER): registered})
    client = open_client(http, SERVER, None, settings, own=own)
    assert client is not None

    with pytest.raises(TokenRefused if own else FhirRefused):
        await client.read("Patient", PATIENT_ID, Deadline.after(60))
    assert server.tokens == ([] if own else [None])


async def test_hook_whose_token_covers_a_part_gets_that_part_and_gaps() -> None:
    """What the scopes leave out is not asked for, and the card's evidence says that it was not covered."""
    async with running(fhir=FHIR) as service:
        hook = make_hook(
            fhirServer=SERVER,
            fhirAuthorization=make_authorization(scope="patient/Patient.r"),
            prefetch={"patient": make_patient()},
        )
        response = await service.fire(hook)
        (case,) = service.pipeline.cases

    assert response.status_code == 200
    assert case.chart is not None
    assert {gap.reason for gap in case.chart.gaps} == {GapReason.REFUSED}
    assert all("does not cover" in gap.detail for gap in case.chart.gaps)
