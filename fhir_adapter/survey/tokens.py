"""What the token says of itself, what it lacks for our searches, and how the site gives tokens out."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import httpx

from fhir_adapter.rest.addresses import is_allowed, read_url
from fhir_adapter.shape import Resource, as_text
from fhir_adapter.survey.asking import describe
from fhir_adapter.survey.findings import Finding, Verdict, skipped
from fhir_adapter.survey.needs import NEEDS, NOBODY, OPTIONAL, READ, SEARCHED, needed_scopes
from fhir_adapter.survey.reach import is_loopback
from fhir_adapter.survey.scopes import Claims, is_filtered, lacking, read_claims
from fhir_adapter.survey.searches import NO_TOKEN
from fhir_adapter.survey.visit import Visit

_WANTED: Final = {**dict.fromkeys(READ, "r"), **dict.fromkeys(SEARCHED, "rs")}
_OPTIONAL_TYPES: Final = {need.resource_type for need in NEEDS if need.key in OPTIONAL}
_SHORTEST_LIFE_S: Final = 60


async def check_token(visit: Visit) -> tuple[Finding, ...]:
    """Look at the token, at what it covers, at whether it is needed, and at where tokens come from."""
    claims = read_claims(visit.target.token.get_secret_value()) if visit.target.token else None
    scopes = tuple(visit.target.scope.split()) or (claims.scope if claims else ())
    return (
        _claims(visit, claims),
        judge_scopes(scopes, stated=bool(scopes)),
        await _is_needed(visit),
        await _configuration(visit),
    )


def _claims(visit: Visit, claims: Claims | None) -> Finding:
    part = "token/claims"
    if visit.target.token is None:
        return skipped(part, "no token was given")
    if claims is None:
        return Finding(part, Verdict.OK, "an opaque token: what it covers only the server knows")
    problem = _problem(visit, claims)
    if claims.expires_at is not None and claims.expires_at <= visit.asked_at:
        return Finding(part, Verdict.FAILED, f"a JWT that expired at {_clock(claims.expires_at)}: take a fresh one")
    facts = [f"{len(claims.scope)} scopes", f"ends at {_clock(claims.expires_at)}" if claims.expires_at else "no end"]
    facts += ["bound to one patient"] if claims.patient_id else []
    sentence = f"a JWT, not verified here: {', '.join(facts)}"
    return Finding(part, Verdict.WARN if problem else Verdict.OK, sentence + (f"; {problem}" if problem else ""))


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


def judge_scopes(scopes: tuple[str, ...], *, stated: bool) -> Finding:
    """Say what scopes lack for our searches, and what to ask for."""
    part = "token/scopes"
    if not stated:
        return skipped(part, f"not known; ask for: {' '.join(needed_scopes())}")
    absent = lacking(scopes, _WANTED)
    if not absent:
        filtered = ", some of them narrowed by a filter" if is_filtered(scopes) else ""
        return Finding(part, Verdict.OK, f"they cover all that we read{filtered}")
    wanted = " ".join(scope for scope in needed_scopes() if scope.partition("/")[2].partition(".")[0] in absent)
    verdict = Verdict.WARN if set(absent) <= _OPTIONAL_TYPES else Verdict.MISSING
    advice = f"Please grant our client these scopes too: {wanted}"
    return Finding(part, verdict, f"they do not cover {', '.join(absent)}", advice=advice)


async def _is_needed(visit: Visit) -> Finding:
    """Search without the token for a patient who exists nowhere: data that need no token are open to anybody."""
    part, url = "token/needed", f"{visit.base_url}/Observation"
    reply = await visit.asker.get(str(httpx.URL(url, params={"patient": NOBODY, "_count": "1"})), with_token=False)
    if reply.status in (401, 403) and visit.target.token is None:
        return Finding(part, Verdict.FAILED, f"HTTP {reply.status}: {NO_TOKEN}", reply.ms)
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


async def _configuration(visit: Visit) -> Finding:
    """Read `.well-known/smart-configuration` (SMART App Launch 2.2, conformance)."""
    part = "token/configuration"
    reply = await visit.asker.get(f"{visit.base_url}/.well-known/smart-configuration", accept="application/json")
    content = reply.resource() if reply.status == httpx.codes.OK else {}
    if not content:
        needed = visit.capabilities is not None and bool(visit.capabilities.security)
        sentence = f"no smart-configuration ({describe(reply)}): tokens come with each hook only"
        return Finding(part, Verdict.WARN if needed else Verdict.OK, sentence, reply.ms)
    return Finding(part, Verdict.OK, _describe(content), reply.ms)


def _describe(content: Resource) -> str:
    methods = {as_text(each) for each in _list(content, "token_endpoint_auth_methods_supported")}
    capabilities = {as_text(each) for each in _list(content, "capabilities")}
    token = "has a token endpoint" if as_text(content.get("token_endpoint")) else "names no token endpoint"
    signed = "private_key_jwt" in methods or "client-confidential-asymmetric" in capabilities
    versions = [version for version in ("permission-v1", "permission-v2") if version in capabilities]
    facts = [token, "takes signed assertions (backend services)" if signed else "names no private_key_jwt", *versions]
    return ", ".join(facts)


def _list(content: Resource, name: str) -> list[object]:
    value = content.get(name)
    return value if isinstance(value, list) else []


def _clock(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%MZ")
