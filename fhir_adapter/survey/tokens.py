"""What the token says of itself, what it lacks for our searches, and how the site gives tokens out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import date, datetime
from typing import Final

import httpx

from fhir_adapter.auth.discovery import TokenEndpoint, find_token_endpoint
from fhir_adapter.auth.keys import KeysUnusable, read_keys
from fhir_adapter.auth.scopes import covers, read_scopes
from fhir_adapter.auth.tokens import AccessToken, ask_for_token
from fhir_adapter.errors import FhirError, TokenRefused
from fhir_adapter.rest.addresses import is_allowed, read_url
from fhir_adapter.rest.requests import Request
from fhir_adapter.settings import BackendClient
from fhir_adapter.shape import Resource, as_text
from fhir_adapter.survey.asking import describe
from fhir_adapter.survey.claims import Claims, read_claims
from fhir_adapter.survey.findings import Finding, Verdict, skipped
from fhir_adapter.survey.needs import NEEDS, NOBODY, OPTIONAL, needed_scopes
from fhir_adapter.survey.reach import is_loopback
from fhir_adapter.survey.searches import TOKEN_MISSING
from fhir_adapter.survey.visit import Visit

_OPTIONAL_TYPES: Final = {need.resource_type for need in NEEDS if need.key in OPTIONAL}
_SHORTEST_LIFE_S: Final = 60


async def check_token(visit: Visit) -> tuple[Finding, ...]:
    """Look at the token, at what it covers, at whether it is needed, and at where tokens come from."""
    configuration, backend = await _configuration(visit), await _backend(visit)
    claims = read_claims(visit.token.get_secret_value()) if visit.token else None
    scope = visit.scope or (claims.scope if claims else "")
    level = "system" if visit.target.client is not None else "patient"
    scopes = judge_scopes(scope, level, visit.subject, visit.today)
    return configuration, backend, _claims(visit, claims), scopes, await _is_needed(visit)


async def _configuration(visit: Visit) -> Finding:
    """Read `.well-known/smart-configuration` (SMART App Launch 2.2, conformance)."""
    part = "token/configuration"
    reply = await visit.asker.get(f"{visit.base_url}/.well-known/smart-configuration", accept="application/json")
    content = reply.resource() if reply.status == httpx.codes.OK else {}
    if not content:
        expected = visit.capabilities is not None and bool(visit.capabilities.security)
        sentence = f"no smart-configuration ({describe(reply)}): tokens come with each hook only"
        return Finding(part, Verdict.WARN if expected else Verdict.OK, sentence, reply.ms)
    return Finding(part, Verdict.OK, describe_configuration(content), reply.ms)


def describe_configuration(content: Resource) -> str:
    """Say what of a smart-configuration matters to us, as a clause."""
    methods = _texts(content, "token_endpoint_auth_methods_supported")
    capabilities = _texts(content, "capabilities")
    token = "has a token endpoint" if as_text(content.get("token_endpoint")) else "names no token endpoint"
    signed = "private_key_jwt" in methods or "client-confidential-asymmetric" in capabilities
    versions = [version for version in ("permission-v1", "permission-v2") if version in capabilities]
    return ", ".join(
        [token, "takes signed assertions (backend services)" if signed else "names no private_key_jwt", *versions]
    )


def _texts(content: Resource, name: str) -> set[str]:
    value = content.get(name)
    return set(map(as_text, value)) if isinstance(value, list) else set()


async def _backend(visit: Visit) -> Finding:
    """Get a token of our own (SMART Backend Services); fills in `token` and `scope`."""
    part, client = "token/backend", visit.target.client
    if client is None:
        return skipped(part, "not asked for (--smart)")
    start = time.perf_counter()
    try:
        given = await _ask_for_token(visit, client)
    except TokenRefused as error:
        advice = (
            f"Please register our client for SMART Backend Services with our public keys (JWKS), for the scopes "
            f"{client.scope}; your token endpoint answered {error.code}."
        )
        return Finding(part, Verdict.FAILED, str(error), advice=advice)
    except (FhirError, KeysUnusable) as error:
        return Finding(part, Verdict.FAILED, str(error))
    visit.token, visit.scope = given.token, given.scope
    visit.asker.use(given.token)
    ms = (time.perf_counter() - start) * 1000
    return Finding(part, Verdict.OK, f"a token for {given.seconds:.0f} s was given", ms)


async def _ask_for_token(visit: Visit, client: BackendClient) -> AccessToken:
    keys = await asyncio.to_thread(read_keys, client.keys)
    if client.token_url is not None:
        endpoint = TokenEndpoint(str(client.token_url))
    else:
        endpoint = await find_token_endpoint(visit.http, visit.base_url, visit.deadline)
    fitting = [key for key in keys if not endpoint.algorithms or key.algorithm in endpoint.algorithms]
    if not fitting:
        raise KeysUnusable("the server takes none of the algorithms of our keys: add one of another kind")
    return await ask_for_token(visit.http, endpoint, client, fitting[0], visit.deadline)


def _claims(visit: Visit, claims: Claims | None) -> Finding:
    part = "token/claims"
    if visit.token is None:
        return skipped(part, "no token was given")
    if claims is None:
        return Finding(part, Verdict.OK, "an opaque token: what it covers only the server knows")
    if claims.expires_at is not None and claims.expires_at <= visit.asked_at:
        return Finding(part, Verdict.FAILED, f"a JWT that expired at {_clock(claims.expires_at)}: take a fresh one")
    ends = f"ends at {_clock(claims.expires_at)}" if claims.expires_at else "no end"
    facts = [f"{len(claims.scope.split())} scopes", ends, *(["bound to one patient"] if claims.patient_id else [])]
    problem = _problem(visit, claims)
    sentence = f"a JWT, not verified here: {', '.join(facts)}" + (f"; {problem}" if problem else "")
    return Finding(part, Verdict.WARN if problem else Verdict.OK, sentence)


def _problem(visit: Visit, claims: Claims) -> str:
    """Return what does not fit about a token, or an empty string."""
    if claims.patient_id and visit.patient_id and claims.patient_id != visit.patient_id:
        return "it is bound to another patient than the one asked about"
    if claims.expires_at and (claims.expires_at - visit.asked_at).total_seconds() < _SHORTEST_LIFE_S:
        return "it ends within a minute"
    # An audience may be a name; only addresses can be compared with ours.
    addresses = [audience for audience in claims.audience if read_url(audience) is not None]
    if addresses and not is_allowed(visit.base_url, addresses):
        return "its audience is another address than this server"
    return ""


def judge_scopes(scope: str, level: str, patient_id: str, today: date) -> Finding:
    """Say what scopes lack for our reads and searches, and what to ask for.

    Args:
        scope: of the token, with blanks between; empty where nobody says.
        level: of the scopes to ask for, `patient` or `system`.
        patient_id: whom the searches are about.
        today: from which their date bounds count.
    """
    part, scopes = "token/scopes", read_scopes(scope)
    if scopes is None:
        return skipped(part, f"not known; ask for: {' '.join(needed_scopes(level))}")
    absent = tuple(
        dict.fromkeys(asked.resource_type for asked in _requests(patient_id, today) if not covers(scopes, asked))
    )
    if not absent:
        return Finding(part, Verdict.OK, "they cover all that we read")
    wanted = [each for each in needed_scopes(level) if each.partition("/")[2].partition(".")[0] in absent]
    verdict = Verdict.WARN if _OPTIONAL_TYPES.issuperset(absent) else Verdict.MISSING
    advice = f"Please grant our client these scopes too: {' '.join(wanted)}"
    return Finding(part, verdict, f"they do not cover {', '.join(absent)}", advice=advice)


def _requests(patient_id: str, today: date) -> Iterator[Request]:
    """Yield every kind of question that is asked for a patient."""
    yield Request.read_of("Patient", patient_id)
    yield Request("Endpoint", "read")
    for need in NEEDS:
        yield Request.search_of(need.resource_type, need.params(patient_id, today, bounded=True))


async def _is_needed(visit: Visit) -> Finding:
    """Search without the token for a patient who exists nowhere: data that need no token are open to anybody."""
    part, url = "token/needed", f"{visit.base_url}/Observation"
    reply = await visit.asker.get(str(httpx.URL(url, params={"patient": NOBODY, "_count": "1"})), with_token=False)
    if reply.status in (401, 403) and visit.token is None:
        return Finding(part, Verdict.FAILED, f"HTTP {reply.status}: {TOKEN_MISSING}", reply.ms)
    if reply.status in (401, 403):
        return Finding(
            part, Verdict.OK, f"without a token the answer is HTTP {reply.status}, as it should be", reply.ms
        )
    if reply.status != httpx.codes.OK:
        return skipped(part, f"cannot be told: {describe(reply)}")
    if is_loopback(httpx.URL(visit.base_url).host):
        return Finding(part, Verdict.OK, "no token is asked for; the server is on this machine", reply.ms)
    advice = "Your FHIR server answers searches without a token: is it meant to be open to everybody who reaches it?"
    return Finding(part, Verdict.WARN, "searches are answered without a token", reply.ms, advice)


def _clock(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%MZ")
