from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import orjson
import pytest
from pydantic import HttpUrl, SecretStr

from fhir_adapter.auth.keys import make_key
from fhir_adapter.rest.capabilities import Capabilities, FhirVersion
from fhir_adapter.settings import BackendClient
from fhir_adapter.survey.findings import Finding, Verdict
from fhir_adapter.survey.needs import needed_scopes
from fhir_adapter.survey.tokens import check_token, describe_configuration, judge_scopes
from tests.fhir_adapter.builders import ASKED_AT, PATIENT_ID, SERVER, answer
from tests.fhir_adapter.survey.sites import Fault, at, findings_of, visit
from tests.fhir_adapter.survey.test_claims import jwt

SOON, PAST = ASKED_AT + timedelta(minutes=5), ASKED_AT - timedelta(minutes=1)
TOKEN_URL = "https://auth.example.org/token"


def judged(scope: str) -> Finding:
    return judge_scopes(scope, "patient", PATIENT_ID, ASKED_AT.date())


@pytest.mark.parametrize(
    ("scope", "verdict", "said"),
    [
        ("", Verdict.SKIPPED, "ask for: patient/Patient.r"),
        ("openid fhirUser", Verdict.SKIPPED, "not known"),
        ("https://vendor.example.org/read patient/*.rs", Verdict.SKIPPED, "not known"),
        ("patient/*.read", Verdict.OK, "cover all"),
        ("user/*.rs", Verdict.OK, "cover all"),
        (" ".join(needed_scopes()), Verdict.OK, "cover all"),
        ("patient/*.r", Verdict.MISSING, "do not cover Observation"),
        ("patient/Observation.rs", Verdict.MISSING, "Patient, Endpoint, DocumentReference"),
        ("patient/*.s patient/Patient.r patient/Endpoint.read", Verdict.OK, "cover all"),
        (
            " ".join(scope for scope in needed_scopes() if "Media" not in scope),
            Verdict.WARN,
            "do not cover Media",
        ),
    ],
)
def test_scopes_are_compared_with_what_is_read(scope: str, verdict: Verdict, said: str) -> None:
    """Scopes that cannot be read are not judged; what is missing is named."""
    finding = judged(scope)

    assert finding.verdict is verdict
    assert said in finding.sentence


def test_missing_scopes_are_what_to_ask_for() -> None:
    """The advice holds the scopes that are missing, and no other."""
    advice = judged("patient/*.r patient/Observation.rs").advice

    assert "patient/ImagingStudy.rs" in advice
    assert "patient/Observation.rs" not in advice


@pytest.mark.parametrize(
    ("payload", "verdict", "said"),
    [
        ({"exp": PAST.timestamp()}, Verdict.FAILED, "expired at"),
        ({"exp": (ASKED_AT + timedelta(seconds=20)).timestamp()}, Verdict.WARN, "within a minute"),
        ({"exp": SOON.timestamp(), "patient": "another"}, Verdict.WARN, "another patient"),
        ({"aud": "https://elsewhere.example.org/fhir"}, Verdict.WARN, "its audience is another address"),
        ({"aud": ["some name", "https://ehr.example.org/fhir"], "scope": "a b"}, Verdict.OK, "2 scopes, no end"),
        ({"exp": SOON.timestamp(), "patient": PATIENT_ID}, Verdict.OK, "bound to one patient"),
    ],
)
async def test_claims_that_do_not_fit_are_named(payload: object, verdict: Verdict, said: str) -> None:
    """A JWT is read, never verified, and says what is wrong with it."""
    finding = (await findings_of(check_token, token=SecretStr(jwt(payload))))["token/claims"]

    assert finding.verdict is verdict
    assert said in finding.sentence


@pytest.mark.parametrize(
    ("fault", "token", "verdict", "said"),
    [
        (at("Observation", answer({}, 401)), "t", Verdict.OK, "as it should be"),
        (at("Observation", answer({}, 401)), None, Verdict.FAILED, "a token is asked for"),
        (at("Observation", answer({}, 500)), "t", Verdict.SKIPPED, "HTTP 500"),
        (at("nowhere", answer({})), "t", Verdict.WARN, "without a token"),
    ],
)
async def test_open_server_is_noticed(fault: Fault, token: str | None, verdict: Verdict, said: str) -> None:
    """A server that needs no token shows records to everybody who reaches it."""
    found = await findings_of(check_token, fault, token=SecretStr(token) if token else None)

    assert found["token/needed"].verdict is verdict
    assert said in found["token/needed"].sentence


async def test_token_is_not_sent_where_its_absence_is_tried() -> None:
    """The search without a token carries none, whatever was given."""
    sent: list[str] = []

    def spy(request: httpx.Request) -> None:
        if "/Observation" in request.url.path:
            sent.append(request.headers.get("authorization", ""))

    await findings_of(check_token, spy)

    assert sent == [""]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"capabilities": 3}, "names no token endpoint, names no private_key_jwt"),
        ({"token_endpoint": TOKEN_URL, "capabilities": ["permission-v2", 1]}, "no private_key_jwt, permission-v2"),
        ({"token_endpoint_auth_methods_supported": ["private_key_jwt"]}, "takes signed assertions"),
    ],
)
def test_configuration_is_described(content: dict[str, object], said: str) -> None:
    """Of a smart-configuration, whatever its shape, what matters to us is told."""
    assert said in describe_configuration(content)


async def test_missing_configuration_matters_where_smart_is_announced() -> None:
    """A server that calls itself SMART and has no configuration is worth a warning."""
    one = visit()
    one.capabilities = Capabilities(FhirVersion.R4, security=frozenset({"SMART-on-FHIR"}))
    found = {finding.part: finding for finding in await check_token(one)}

    assert found["token/configuration"].verdict is Verdict.WARN


@pytest.fixture
def client(tmp_path: Path) -> BackendClient:
    (tmp_path / "keys.json").write_bytes(orjson.dumps({"keys": [make_key("ES384")]}))
    return BackendClient(client_id="us", keys=tmp_path / "keys.json", token_url=HttpUrl(TOKEN_URL))


def token_server(request: httpx.Request) -> httpx.Response | None:
    if str(request.url) != TOKEN_URL:
        return None
    scope = parse_qs(request.content.decode())["scope"][0]
    content = {"access_token": "fresh", "token_type": "bearer", "expires_in": 300, "scope": scope}
    return answer(content, content_type="application/json")


async def test_own_token_is_asked_for_and_used(client: BackendClient) -> None:
    """With a registration the doctor gets a token, knows its scopes, and asks with it."""
    sent: list[str] = []

    def spy(request: httpx.Request) -> None:
        sent.append(request.headers.get("authorization", ""))

    one = visit(spy, token_server, token=None, client=client)
    found = {finding.part: finding for finding in await check_token(one)}
    await one.asker.get(f"{SERVER}/Patient/x")

    assert [found[part].verdict for part in ("token/backend", "token/scopes")] == [Verdict.OK, Verdict.OK]
    assert sent[-1] == "Bearer fresh"


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (answer({"error": "invalid_client"}, 401, "application/json"), "invalid_client"),
        (answer(b"<html>", content_type="text/html"), "access token"),
        (answer({"access_token": "a b"}, content_type="application/json"), "bearer token"),
    ],
)
async def test_refused_registration_is_told(client: BackendClient, reply: httpx.Response, said: str) -> None:
    """What the token endpoint says is passed on, in our words."""
    one = visit(lambda request: reply if str(request.url) == TOKEN_URL else None, token=None, client=client)
    found = {finding.part: finding for finding in await check_token(one)}

    assert found["token/backend"].verdict is Verdict.FAILED
    assert said in found["token/backend"].sentence


async def test_missing_keys_are_told(tmp_path: Path) -> None:
    """A file of keys that is not there is a finding, not a crash."""
    client = BackendClient(client_id="us", keys=tmp_path / "none.json", token_url=HttpUrl(TOKEN_URL))
    found = await findings_of(check_token, token=None, client=client)

    assert found["token/backend"].verdict is Verdict.FAILED
