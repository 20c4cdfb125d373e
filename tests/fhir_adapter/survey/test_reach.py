from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fhir_adapter.survey.findings import Finding, Verdict
from fhir_adapter.survey.reach import check_reach, describe_certificate, judge_clock
from tests.fhir_adapter.builders import ASKED_AT, answer
from tests.fhir_adapter.survey.sites import Port, visit
from tests.servers import free_port

NOW = datetime.now(UTC)


async def reached(base_url: str, response: httpx.Response | None = None) -> dict[str, Finding]:
    one = visit(*([lambda request: response] if response else []), base_url=base_url)
    one.reached = False
    found = {finding.part: finding for finding in await check_reach(one)}
    assert one.reached is (found["reach/certificate"].verdict is Verdict.OK)
    return found


@pytest.mark.parametrize(
    ("base_url", "said"),
    [
        (f"http://{'a' * 70}.invalid/fhir", "is not known"),
        ("http://nosuch.invalid/fhir", "the name nosuch.invalid is not known"),
        (f"http://127.0.0.1:{free_port()}/fhir", "cannot be connected to (ConnectionRefusedError)"),
    ],
)
async def test_server_that_is_not_there_is_told_from_a_wrong_name(base_url: str, said: str) -> None:
    """A wrong name is our mistake, a closed port the site's: nothing more is asked."""
    found = await reached(base_url)

    assert said in found["reach/connection"].sentence
    assert {found[part].verdict for part in ("reach/certificate", "reach/answer")} == {Verdict.SKIPPED}


@pytest.mark.parametrize(
    ("response", "part", "verdict", "said"),
    [
        (httpx.Response(302, headers={"location": "https://login.example.org/in?x=1"}), "reach/answer", Verdict.FAILED,
         "sends us on to https://login.example.org;"),
        (httpx.Response(300, headers={"location": "https://login.example.org:port/"}), "reach/answer", Verdict.FAILED,
         "malformed"),
        (answer(b"<html>", content_type="text/html"), "reach/answer", Verdict.FAILED, "text/html in place of FHIR"),
        (answer(b"", content_type=""), "reach/answer", Verdict.FAILED, "no content type in place of FHIR"),
        (answer({}, 404), "reach/answer", Verdict.FAILED, "is this the base of a FHIR server"),
        (answer({}, 401), "reach/answer", Verdict.WARN, "HTTP 401 for metadata"),
        (answer({}), "reach/answer", Verdict.OK, "application/fhir+json"),
        (answer({}), "reach/clock", Verdict.SKIPPED, "sends no Date"),
        (answer({"services": [{"hook": "patient-view"}, 7]}), "reach/cds-services", Verdict.OK, "1 for patient-view"),
        (answer({}), "reach/cds-services", Verdict.OK, "none beside"),
        (answer({}), "reach/certificate", Verdict.OK, "no TLS, and none is needed"),
        (answer({}), "reach/allowed", Verdict.WARN, "not on FHIR_ALLOWED_SERVERS"),
    ],
)  # fmt: skip
async def test_first_answer_is_judged(response: httpx.Response, part: str, verdict: Verdict, said: str) -> None:
    """Redirects, log-in pages, wrong bases and wrong clocks each have a sentence."""
    async with Port() as base_url:
        finding = (await reached(base_url, response))[part]

    assert finding.verdict is verdict
    assert said in finding.sentence


@pytest.mark.parametrize(
    ("date", "verdict", "said"),
    [
        ("", Verdict.SKIPPED, "sends no Date"),
        ("yesterday", Verdict.SKIPPED, "sends no Date"),
        ("Tue, 24 Nov 2026 12:00:20 GMT", Verdict.OK, "30 s at most"),
        ("Tue, 24 Nov 2026 12:00:20 -0000", Verdict.OK, "30 s at most"),
        ("Tue, 24 Nov 2026 10:00:00 GMT", Verdict.WARN, "7200 s behind ours"),
        ("Tue, 24 Nov 2026 12:02:00 GMT", Verdict.WARN, "120 s ahead of ours"),
    ],
)
def test_clocks_are_compared(date: str, verdict: Verdict, said: str) -> None:
    """Tokens live for minutes, so that half a minute apart is told."""
    finding = judge_clock(date, ASKED_AT)

    assert finding.verdict is verdict
    assert said in finding.sentence


def certificate(folder: Path, host: str, days: int) -> ssl.SSLContext:
    """A self-signed certificate that ends in so many days."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=400))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(pem)
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


@pytest.fixture(
    params=[("localhost", 300, False), ("localhost", -1, True), ("other", 300, True), ("localhost", 9, True)]
)
async def tls_port(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[int, str]]:
    """A TLS server, trusted or not, and what there is to say about its certificate."""
    host, days, trusted = request.param
    context = certificate(tmp_path, host, days)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "localhost", 0, ssl=context)
    said = {(300, False): "self-signed", (-1, True): "has expired", (9, True): "expires in 8 days"}
    yield server.sockets[0].getsockname()[1], said.get((days, trusted), "another host name")
    server.close()


async def test_certificate_problem_is_said_plainly(tls_port: tuple[int, str]) -> None:
    """Which of the usual problems a certificate has, in words for its administrator."""
    port, said = tls_port
    finding = (await reached_tls(port))["reach/certificate"]

    assert said in finding.sentence
    assert finding.advice


async def reached_tls(port: int) -> dict[str, Finding]:
    one = visit(base_url=f"https://localhost:{port}/fhir")
    return {finding.part: finding for finding in await check_reach(one)}


async def test_port_without_tls_is_told() -> None:
    """An https address whose server speaks plain HTTP has no certificate to judge."""
    async with Port() as base_url:
        found = await reached(base_url.replace("http://127.0.0.1", "https://127.0.0.1"))

    assert not found["reach/certificate"].ok
    assert found["reach/answer"].verdict is Verdict.SKIPPED


@pytest.mark.parametrize(
    ("not_after", "verdict"),
    [("", Verdict.OK), ("Jan  5 09:34:43 2018 GMT", Verdict.WARN), ("Jan  5 09:34:43 2118 GMT", Verdict.OK)],
)
def test_end_of_a_certificate_is_told(not_after: str, verdict: Verdict) -> None:
    """Less than a month left is worth a mail."""
    assert describe_certificate("ehr.example.org", "TLSv1.3", not_after).verdict is verdict


async def test_plain_http_to_another_machine_is_a_warning() -> None:
    """A token must not travel unencrypted."""
    found = await reached("http://nosuch.invalid/fhir")
    assert found["reach/certificate"].verdict is Verdict.SKIPPED


async def test_proxy_is_not_looked_past(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the environment names a proxy, our own connection would prove nothing."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    one = visit(base_url="http://nosuch.invalid/fhir")
    found = {finding.part: finding for finding in await check_reach(one)}

    assert found["reach/connection"].verdict is Verdict.SKIPPED
    assert found["reach/certificate"].verdict is Verdict.WARN
