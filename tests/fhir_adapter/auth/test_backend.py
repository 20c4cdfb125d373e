"""SMART Backend Services against a real token endpoint, which checks signature, audience, time and replay."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from starlette.responses import Response

from fhir_adapter.auth.backend import BackendAccess, open_access
from fhir_adapter.auth.keys import Algorithm, make_key, public_jwks
from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import (
    FhirError,
    FhirMalformed,
    FhirRefused,
    FhirTimeout,
    FhirUnavailable,
    NotCovered,
    TokenRefused,
)
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.requests import Request
from fhir_adapter.rest.transport import open_http
from fhir_adapter.settings import BackendClient, FhirSettings
from tests.fhir_adapter.auth.token_server import CLIENT_ID, TokenServer, token_server
from tests.fhir_adapter.builders import PATIENT_ID, patient, soon

EC, OTHER_EC, RSA = make_key("ES384"), make_key("ES384"), make_key("RS384")
PATIENT = Request.read_of("Patient", PATIENT_ID)


class Clock:
    """A clock turned by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.now


class Site:
    """A server, our registration there and our HTTP client."""

    def __init__(self, server: TokenServer, http: httpx.AsyncClient, folder: Path) -> None:
        self.server, self.http, self.file, self.clock = server, http, folder / "keys.json", Clock()
        self.keep(EC)
        self.publish(EC)

    def keep(self, *keys: object) -> None:
        """Put private keys into our file."""
        self.file.write_bytes(orjson.dumps({"keys": keys}))

    def publish(self, *keys: object) -> None:
        """Let the server know the public half of these."""
        file = self.file.with_name("published.json")
        file.write_bytes(orjson.dumps({"keys": keys}))
        self.server.published = public_jwks(file)

    def access(self, **changes: Any) -> BackendAccess:
        """Return our access there."""
        client = BackendClient(**{"client_id": CLIENT_ID, "keys": self.file, **changes})
        return BackendAccess(self.http, self.server.base, client, self.clock)

    def client(self, access: BackendAccess) -> FhirClient:
        """Return a FHIR client with this access."""
        return FhirClient(self.http, self.server.base, access, FhirSettings(allowed_servers=(self.server.base,)))


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with token_server() as server, open_http(FhirSettings()) as http:
        yield Site(server, http, tmp_path)


@pytest.mark.parametrize("algorithm", ["ES384", "RS384"])
async def test_patient_is_read_with_a_token_of_our_own(site: Site, algorithm: Algorithm) -> None:
    """From the FHIR base alone: endpoint found, assertion taken, token used; with either algorithm of SMART."""
    key = RSA if algorithm == "RS384" else EC
    site.keep(key)
    site.publish(key)

    assert await site.client(site.access()).read("Patient", PATIENT_ID, soon()) == patient()
    assert (site.server.tokens, site.server.refusals, site.server.headers) == (["token-1"], [], [])


async def test_configured_endpoint_is_not_looked_for(site: Site) -> None:
    """Where the token endpoint is named, smart-configuration is not read."""
    await site.client(site.access(token_url=site.server.token_url)).read("Patient", PATIENT_ID, soon())

    assert (len(site.server.tokens), site.server.configured) == (1, 0)


async def test_many_waiters_share_one_token(site: Site) -> None:
    """However many ask at once, one token is asked for."""
    client = site.client(site.access())
    await asyncio.gather(*(client.read("Patient", PATIENT_ID, soon()) for _ in range(8)))

    assert site.server.tokens == ["token-1"]


async def test_waiter_that_gives_up_leaves_the_token_to_the_others(site: Site) -> None:
    """A deadline that passes ends one waiter, not the request that all wait for."""
    access = site.access()
    other = asyncio.create_task(access.headers(PATIENT, soon()))
    with pytest.raises(FhirTimeout):
        await access.headers(PATIENT, Deadline.after(0))

    assert await other == {"Authorization": "Bearer token-1"}
    assert site.server.tokens == ["token-1"]


@pytest.mark.parametrize(
    ("changes", "kept_for"),
    [
        ({}, 269),
        ({"expires_in": 60}, 44),
        ({"expires_in": "300"}, 269),
        ({"expires_in": ...}, 44),
        ({"expires_in": 3600.0}, 3569),
    ],
)
async def test_token_is_kept_until_shortly_before_it_expires(
    site: Site, changes: dict[str, object], kept_for: float
) -> None:
    """A token is used for as long as it surely holds, and then another one is asked for."""
    site.server.changes = changes
    access = site.access()
    await access.headers(PATIENT, soon())
    site.clock.now = kept_for
    kept = await access.headers(PATIENT, soon())
    site.clock.now = kept_for + 2

    assert kept == {"Authorization": "Bearer token-1"}
    assert await access.headers(PATIENT, soon()) == {"Authorization": "Bearer token-2"}


async def test_token_that_the_server_forgot_is_asked_for_again(site: Site) -> None:
    """After a restart of the server a 401 brings a new token, once."""
    client = site.client(site.access())
    await client.read("Patient", PATIENT_ID, soon())
    site.server.known.clear()

    assert await client.read("Patient", PATIENT_ID, soon()) == patient()
    assert len(site.server.tokens) == 2


async def test_server_that_refuses_every_token_is_asked_twice(site: Site) -> None:
    """A fresh token that is refused too is a refusal."""
    site.server.changes = {"access_token": "unknown"}

    with pytest.raises(FhirRefused):
        await site.client(site.access()).read("Patient", PATIENT_ID, soon())
    assert len(site.server.tokens) == 2


async def test_first_key_that_the_server_knows_signs(site: Site) -> None:
    """While a server does not yet know the new key, the old one is used."""
    site.keep(OTHER_EC, EC)

    assert await site.access().headers(PATIENT, soon())
    assert site.server.refusals == ["KeyError"]


async def test_key_the_server_cannot_check_is_not_used(site: Site) -> None:
    """Where the server says which algorithms it takes, other keys do not sign."""
    site.server.configuration = {"token_endpoint_auth_signing_alg_values_supported": ["RS384"]}
    site.keep(EC, RSA)
    site.publish(RSA)

    assert await site.access().headers(PATIENT, soon())
    assert site.server.refusals == []


async def test_changed_file_of_keys_counts_from_the_next_token(site: Site) -> None:
    """Keys are changed while the service runs."""
    access = site.access()
    await access.headers(PATIENT, soon())
    site.keep(RSA)
    site.publish(RSA)
    site.clock.now = 1000

    assert await access.headers(PATIENT, soon()) == {"Authorization": "Bearer token-2"}


async def test_client_that_is_not_known_is_refused_without_its_secrets(site: Site) -> None:
    """The error says what to do, and nothing of what was sent or answered."""
    site.publish(RSA)

    with pytest.raises(TokenRefused, match=r"invalid_client.*FHIR_CLIENTS") as caught:
        await site.access().headers(PATIENT, soon())
    assert "secret-7" not in str(caught.value)


async def test_unusable_file_of_keys_is_a_refusal(site: Site) -> None:
    """Without a key there is no token, and that is a gap like any other refusal."""
    site.file.unlink()

    with pytest.raises(TokenRefused, match="no usable key"):
        await site.access().headers(PATIENT, soon())


async def test_scope_that_was_given_is_checked(site: Site) -> None:
    """A server may give less than was asked for; what it left out is not asked."""
    site.server.changes = {"scope": "system/Observation.rs"}

    with pytest.raises(NotCovered):
        await site.access().headers(PATIENT, soon())


def says(body: bytes, status: int = 200, content_type: str = "application/json", **headers: str) -> Response:
    return Response(body, status, {"content-type": content_type, **headers})


TOKEN = b'{"access_token": "secret-7", "token_type": "bearer", "expires_in": 300}'


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (says(b"<html>", content_type="text/html"), FhirMalformed),
        (says(b"{}"), FhirMalformed),
        (says(b"[]"), FhirMalformed),
        (says(TOKEN.replace(b"secret-7", b"a\\r\\nX: 1")), FhirMalformed),
        (says(TOKEN.replace(b"bearer", b"mac")), FhirMalformed),
        (says(TOKEN.replace(b"300", b"0")), FhirMalformed),
        (says(TOKEN.replace(b"300", b'"soon"')), FhirMalformed),
        (says(TOKEN.replace(b"300", b"[300]")), FhirMalformed),
        (says(TOKEN + b" " * 70_000), FhirMalformed),
        (says(b'{"error": "invalid_scope"}', 400), TokenRefused),
        (says(b'{"error": "secret-7"}', 400), TokenRefused),
        (says(b'{"error": 5}', 400), TokenRefused),
        (says(b"", 403), FhirRefused),
        (says(b"", 500), FhirUnavailable),
        (says(b"", 503), FhirUnavailable),
        (says(b"", 302, location="https://evil.example.org/token"), FhirError),
        (says(b"", 307, location="https://evil.example.org/token"), FhirError),
    ],
)
async def test_odd_answer_of_the_endpoint_is_an_error_of_ours(
    site: Site, answer: Response, error: type[FhirError]
) -> None:
    """Whatever the token endpoint says, the error names no word of it."""
    site.server.answer = answer

    with pytest.raises(error) as caught:
        await site.access().headers(PATIENT, soon())
    assert "secret-7" not in str(caught.value)


async def test_each_try_has_an_assertion_of_its_own(site: Site) -> None:
    """An endpoint that fails is asked again, but never with an assertion that it may have seen."""
    site.server.answer = says(b"", 503)
    with pytest.raises(FhirUnavailable):
        await site.access().headers(PATIENT, soon())

    assert len(site.server.assertions) == len(set(site.server.assertions)) == 2


async def test_failure_is_not_kept(site: Site) -> None:
    """Who asks after a failure asks anew, and looks for the endpoint anew too: it may have moved."""
    access = site.access()
    site.server.answer = says(b"", 500)
    with pytest.raises(FhirUnavailable):
        await access.headers(PATIENT, soon())
    site.server.answer = None

    assert await access.headers(PATIENT, soon()) == {"Authorization": "Bearer token-1"}
    assert site.server.configured == 2


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://auth.example.org/token",
        "ftp://auth.example.org/token",
        "https://user:secret@auth.example.org/token",
        "https://[",
        "https:",
        "/auth/token",
        "",
        5,
        None,
    ],
)
async def test_endpoint_that_others_could_listen_to_is_not_used(site: Site, endpoint: object) -> None:
    """The way to the token endpoint is https, whatever the configuration says."""
    site.server.configuration = {"token_endpoint": endpoint}

    with pytest.raises(FhirMalformed, match="https"):
        await site.access().headers(PATIENT, soon())
    assert site.server.tokens == []


async def test_configuration_read_over_http_is_not_trusted(site: Site) -> None:
    """Who sits on the way could name a token endpoint of their own."""
    client = BackendClient(client_id=CLIENT_ID, keys=site.file)
    access = BackendAccess(site.http, "http://ehr.example.org/fhir", client)

    with pytest.raises(FhirMalformed, match="token_url"):
        await access.headers(PATIENT, soon())


async def test_access_does_not_outlive_its_http_client(site: Site) -> None:
    """What is remembered with an HTTP client goes with it, and an access that is left asks nobody."""
    http = httpx.AsyncClient()
    settings = FhirSettings(clients={site.server.base: BackendClient(client_id=CLIENT_ID, keys=site.file)})
    access = open_access(http, settings, site.server.base)
    assert access is not None
    await http.aclose()
    del http
    gc.collect()

    with pytest.raises(FhirUnavailable):
        await access.headers(PATIENT, soon())


async def test_registration_is_found_by_its_server(site: Site) -> None:
    """Two servers have two registrations, each with one shared token; a third has none."""
    one, other = BackendClient(client_id="one", keys=site.file), BackendClient(client_id="two", keys=site.file)
    settings = FhirSettings(clients={"https://a.example.org/fhir": one, "https://b.example.org": other})
    first, second = (open_access(site.http, settings, f"https://{name}.example.org/fhir/") for name in "ab")
    third = open_access(site.http, settings, "https://b.example.org")

    assert first is not None
    assert open_access(site.http, settings, "https://a.example.org/fhir") is first
    assert second is None
    assert third not in (None, first)
