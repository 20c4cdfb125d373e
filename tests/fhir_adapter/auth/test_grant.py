from datetime import UTC, datetime, timedelta

import httpx
import orjson
import pytest
from pydantic import SecretStr

from fhir_adapter.auth.access import Access
from fhir_adapter.auth.grant import Grant, GrantAccess
from fhir_adapter.errors import AccessExpired, FhirRefused, NotCovered
from fhir_adapter.gaps import gap_of
from fhir_adapter.record import GapReason
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.requests import Request
from tests.fhir_adapter.builders import SERVER, FakeFhir, answer, bundle, outcome, patient, settings, soon

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PATIENT = Request.read_of("Patient", "child-1")
TOKEN = SecretStr("secret-abc")


def client_with(server: FakeFhir, access: Access) -> FhirClient:
    return FhirClient(httpx.AsyncClient(transport=httpx.MockTransport(server)), SERVER, access, settings())


@pytest.mark.parametrize(
    ("left", "usable"), [(300.0, True), (3.1, True), (3.0, False), (0.0, False), (-60.0, False), (None, True)]
)
async def test_token_is_used_until_shortly_before_it_expires(left: float | None, usable: bool) -> None:  # noqa: FBT001
    """A token is not sent in its last seconds: it would be refused when it arrives."""
    expires_at = None if left is None else NOW + timedelta(seconds=left)
    server = FakeFhir({"Patient/child-1": patient()})
    client = client_with(server, GrantAccess(Grant(TOKEN, expires_at), lambda: NOW))

    if usable:
        assert await client.read("Patient", "child-1", soon()) == patient()
    else:
        with pytest.raises(AccessExpired):
            await client.read("Patient", "child-1", soon())
    assert len(server.requests) == usable


async def test_question_beyond_the_scope_is_not_asked() -> None:
    """What the token does not cover is refused here, and the server never hears of it."""
    server = FakeFhir({"Observation": bundle()})
    client = client_with(server, GrantAccess(Grant(TOKEN, None, "patient/Patient.rs patient/Condition.rs", "child-1")))

    with pytest.raises(NotCovered):
        await client.search("Observation", {"patient": "child-1"}, soon())
    assert server.requests == []


async def test_token_of_one_patient_asks_for_no_other() -> None:
    """A token that is restricted to one patient is not tried on another."""
    server = FakeFhir({"Patient/child-2": patient(id="child-2")})
    client = client_with(server, GrantAccess(Grant(TOKEN, None, "patient/*.rs", "child-1")))

    with pytest.raises(NotCovered):
        await client.read("Patient", "child-2", soon())
    assert server.requests == []


async def test_scope_that_cannot_be_read_leaves_it_to_the_server() -> None:
    """Where the words are not SMART's, the server is asked and decides."""
    server = FakeFhir({"Patient/child-1": answer(outcome(), 403)})
    client = client_with(server, GrantAccess(Grant(TOKEN, None, "all-of-it")))

    with pytest.raises(FhirRefused):
        await client.read("Patient", "child-1", soon())
    assert len(server.requests) == 1


async def test_refused_token_is_not_tried_twice() -> None:
    """Only the next hook brings another token."""
    server = FakeFhir({"Patient/child-1": answer(outcome(), 401)})

    with pytest.raises(FhirRefused):
        await client_with(server, GrantAccess(Grant(TOKEN))).read("Patient", "child-1", soon())
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("error", "detail"), [(NotCovered("Observation"), "does not cover"), (AccessExpired("Observation"), "has expired")]
)
def test_gap_says_why_access_was_not_enough(error: FhirRefused, detail: str) -> None:
    """A clinician reads that access was refused, and why."""
    gap = gap_of(error, "structured", "laboratory results")

    assert gap.reason is GapReason.REFUSED
    assert detail in gap.detail


@pytest.mark.parametrize("grant", [Grant(TOKEN, NOW, "patient/*.rs", "child-1"), Grant(TOKEN)])
def test_grant_survives_being_stored(grant: Grant) -> None:
    """The worker may have to ask later: nothing of the grant is lost on the way."""
    assert Grant.from_content(orjson.loads(orjson.dumps(grant.to_content()))) == grant


def test_grant_does_not_show_its_token() -> None:
    """Printed, a grant shows no token."""
    assert "secret-abc" not in repr(Grant(TOKEN))


def test_token_that_would_break_the_header_is_refused() -> None:
    """A line break in a token would start another header."""
    with pytest.raises(ValueError, match="RFC 6750"):
        GrantAccess(Grant(SecretStr("a\r\nX-Evil: 1")))
