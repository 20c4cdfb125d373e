"""Is the server there: name, connection, certificate, first answer, clock."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.request import getproxies, proxy_bypass

import httpx

from fhir_adapter.rest.addresses import is_allowed
from fhir_adapter.shape import dicts_of
from fhir_adapter.survey.asking import describe, origin_of
from fhir_adapter.survey.findings import Finding, Verdict, skipped
from fhir_adapter.survey.visit import Visit

_PATIENCE_S: Final = 5.0
_EXPIRES_SOON_DAYS: Final = 30
_CLOCK_S: Final = 30.0
"""Tokens live for minutes and signed ones are refused when dated in the future: seconds count."""
_DAY_S: Final = 86_400
# OpenSSL's X509_V_ERR_* numbers (x509_vfy.h), said plainly.
_CERTIFICATE_PROBLEMS: Final = {
    9: "its certificate is not valid yet: is a clock wrong?",
    10: "its certificate has expired",
    18: "its certificate is self-signed",
    19: "its certificate was issued by an authority that this machine does not know",
    20: "its certificate was issued by an authority that this machine does not know, or the chain is not sent whole",
    62: "its certificate was issued for another host name",
    64: "its certificate was issued for another address",
}


async def check_reach(visit: Visit) -> tuple[Finding, ...]:
    """Find out whether the server can be talked to; fills in `metadata` and `reached`."""
    connection = await _connection(visit)
    certificate = await _certificate(visit) if connection.ok else skipped("reach/certificate", "no connection")
    if not (connection.ok and certificate.ok):
        why = "no connection" if not connection.ok else "no trusted connection"
        rest = tuple(skipped(part, why) for part in ("reach/answer", "reach/clock", "reach/cds-services"))
        return (connection, certificate, *rest, _allowed(visit))
    visit.metadata = await visit.asker.get(f"{visit.base_url}/metadata")
    visit.reached = bool(visit.metadata.status)
    clock = judge_clock(visit.metadata.headers.get("date", ""), datetime.now(UTC))
    services = await _cds_services(visit) if visit.reached else skipped("reach/cds-services", "no answer")
    return connection, certificate, _answer(visit), clock, services, _allowed(visit)


async def _connection(visit: Visit) -> Finding:
    """Look the name up and open a TCP connection."""
    url = httpx.URL(visit.base_url)
    if _proxied(url):
        return skipped("reach/connection", "requests go through a proxy (the environment says so): not looked at")
    host, port, start = url.host, _port(url), time.perf_counter()
    try:
        async with asyncio.timeout(min(_PATIENCE_S, visit.deadline.remaining())):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
    except (socket.gaierror, UnicodeError):
        return _unreachable(f"the name {host} is not known here: check the address and this machine's DNS")
    except TimeoutError:
        return _unreachable(f"{host}:{port} does not answer: a firewall may drop the connection", _open_the_way(url))
    except OSError as error:
        return _unreachable(f"{host}:{port} cannot be connected to ({type(error).__name__})", _open_the_way(url))
    ms = (time.perf_counter() - start) * 1000
    addresses = len({entry[4][0] for entry in found})
    named = "1 address" if addresses == 1 else f"{addresses} addresses"
    return Finding("reach/connection", Verdict.OK, f"{host} has {named}; port {port} is open", ms)


def _unreachable(sentence: str, advice: str = "") -> Finding:
    return Finding("reach/connection", Verdict.FAILED, sentence, advice=advice)


def _open_the_way(url: httpx.URL) -> str:
    return f"Please open the way from our machine to {url.host}, TCP port {_port(url)}, in your firewall."


async def _certificate(visit: Visit) -> Finding:
    """Open TLS as the FHIR client would, and see how long the certificate lasts."""
    url, part = httpx.URL(visit.base_url), "reach/certificate"
    if url.scheme == "http":
        return _plain_http(url)
    if _proxied(url):
        return skipped(part, "requests go through a proxy: not looked at")
    try:
        async with asyncio.timeout(min(_PATIENCE_S, visit.deadline.remaining())):
            # httpx's own context: the authorities that the product will trust.
            context = await asyncio.to_thread(httpx.create_ssl_context)
            _, writer = await asyncio.open_connection(url.host, _port(url), ssl=context, server_hostname=url.host)
            found = writer.get_extra_info("peercert") or {}
            version = writer.get_extra_info("ssl_object").version()
            writer.close()
    except ssl.SSLCertVerificationError as error:
        problem = _CERTIFICATE_PROBLEMS.get(error.verify_code, "its certificate is not trusted here")
        advice = f"Please check the TLS certificate of {url.host}: {problem}."
        return Finding(part, Verdict.FAILED, problem, advice=advice)
    except (OSError, TimeoutError) as error:
        return Finding(part, Verdict.FAILED, f"no TLS connection comes about ({type(error).__name__})")
    return describe_certificate(url.host, str(version), str(found.get("notAfter", "")))


def _plain_http(url: httpx.URL) -> Finding:
    part = "reach/certificate"
    if is_loopback(url.host):
        return Finding(part, Verdict.OK, "no TLS, and none is needed within this machine")
    sentence = "the address is http: token and records would travel unencrypted"
    return Finding(part, Verdict.WARN, sentence, advice="Please give us an https address of the FHIR server.")


def describe_certificate(host: str, version: str, not_after: str) -> Finding:
    """Say how long a certificate is valid (`notAfter` as Python's ssl module writes it)."""
    part = "reach/certificate"
    if not not_after:
        return Finding(part, Verdict.OK, f"{version}, certificate trusted")
    ends = ssl.cert_time_to_seconds(not_after)
    days, day = int((ends - time.time()) // _DAY_S), datetime.fromtimestamp(ends, UTC).date().isoformat()
    if days >= _EXPIRES_SOON_DAYS:
        return Finding(part, Verdict.OK, f"{version}, certificate trusted until {day}")
    advice = f"Please renew the TLS certificate of {host} before {day}."
    return Finding(
        part, Verdict.WARN, f"{version}, but the certificate expires in {days} days, on {day}", advice=advice
    )


def _answer(visit: Visit) -> Finding:
    """Judge the answer to `GET [base]/metadata`, which every FHIR server has (R4 RESTful API, capabilities)."""
    reply, part = visit.metadata, "reach/answer"
    if "location" in reply.headers and 300 <= reply.status < 400:
        where = origin_of(_joined(reply.headers["location"], visit.base_url))
        sentence = f"HTTP {reply.status}: it sends us on to {where}; use the address that answers itself"
        return Finding(part, Verdict.FAILED, sentence, reply.ms)
    if reply.status in (401, 403):
        advice = "Please leave GET [base]/metadata open to everybody, as SMART App Launch expects."
        sentence = f"HTTP {reply.status} for metadata" + ("" if visit.token else ": a token is asked for")
        return Finding(part, Verdict.WARN, sentence, reply.ms, advice)
    if reply.status != httpx.codes.OK or not reply.is_fhir:
        sentence = f"{describe(reply)} at [base]/metadata: is this the base of a FHIR server?"
        return Finding(part, Verdict.FAILED, sentence, reply.ms, _base_advice(visit))
    return Finding(part, Verdict.OK, f"{reply.http_version}, {reply.media_type}", reply.ms)


def _base_advice(visit: Visit) -> str:
    return f"Which address is the base of your FHIR R4 server? {visit.base_url}/metadata gives no CapabilityStatement."


def judge_clock(date: str, now: datetime) -> Finding:
    """Compare a Date header (RFC 9110 section 6.6.1; may be empty) with our clock, with its zone."""
    part = "reach/clock"
    try:
        theirs = parsedate_to_datetime(date)
    except ValueError:
        return skipped(part, "the server sends no Date")
    theirs = theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)
    apart = (theirs - now).total_seconds()
    if abs(apart) <= _CLOCK_S:
        return Finding(part, Verdict.OK, f"the clocks differ by {_CLOCK_S:.0f} s at most")
    ahead = "ahead of" if apart > 0 else "behind"
    sentence = f"the server's clock is {abs(apart):.0f} s {ahead} ours: tokens may be refused or live too long"
    return Finding(
        part, Verdict.WARN, sentence, advice="Please set the clock of the FHIR server by NTP; we do the same."
    )


async def _cds_services(visit: Visit) -> Finding:
    """Look for a CDS Hooks discovery beside the FHIR base, where HAPI and our demo have it; no token is sent."""
    part, url = "reach/cds-services", str(httpx.URL(visit.base_url + "/").join("../cds-services"))
    reply = await visit.asker.get(url, accept="application/json", with_token=False)
    services = list(dicts_of(reply.resource().get("services"))) if reply.status == httpx.codes.OK else []
    if not services:
        return Finding(part, Verdict.OK, "none beside the FHIR base; none is needed", reply.ms)
    hooks = sum(service.get("hook") == "patient-view" for service in services)
    sentence = (
        f"{len(services)} beside the FHIR base, {hooks} for patient-view; who calls them cannot be seen from here"
    )
    return Finding(part, Verdict.OK, sentence, reply.ms)


def _allowed(visit: Visit) -> Finding:
    """Say whether the service may ask this server yet."""
    part = "reach/allowed"
    if is_allowed(visit.base_url, visit.settings.allowed_servers):
        return Finding(part, Verdict.OK, "it is on FHIR_ALLOWED_SERVERS")
    return Finding(part, Verdict.WARN, "it is not on FHIR_ALLOWED_SERVERS here: the service would refuse to ask it")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _proxied(url: httpx.URL) -> bool:
    proxies = getproxies()
    return bool(proxies.get(url.scheme) or proxies.get("all")) and not proxy_bypass(url.host)


def _port(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


def _joined(location: str, base_url: str) -> httpx.URL | None:
    try:
        return httpx.URL(base_url + "/").join(location)
    except (httpx.InvalidURL, ValueError):
        return None
