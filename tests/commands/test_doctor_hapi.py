"""The doctor and a real HAPI FHIR server that asks for a token; skipped where it cannot be had."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
import pytest

from cds_hooks.commands.transactions import send_transaction
from cds_hooks.sandbox.patients import sample_patients
from tests.commands.doctor_runs import run_doctor
from tests.integration.hapi_server import hapi_server, why_not
from tests.sandbox.live import Live, live_demo

TOKEN, PATIENT = "a-token-of-the-test", "demo-t4k1"
OPTIONS = ("--require-token", TOKEN, "--open-metadata")
pytestmark = [
    pytest.mark.hapi,
    pytest.mark.skipif(bool(why_not(*OPTIONS)), reason=why_not(*OPTIONS) or "HAPI can be started"),
]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The demonstration, for its image archive."""
    with live_demo(tmp_path_factory.mktemp("demo"), None) as live:
        yield live


@pytest.fixture(scope="module")
def hapi(live: Live, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """HAPI with the sample patients."""
    with hapi_server(tmp_path_factory.mktemp("hapi") / "hapi.log", *OPTIONS) as base:
        samples = sample_patients(datetime.now(UTC), live.sandbox.dicomweb_url)
        with httpx.Client(timeout=120) as http:
            send_transaction(http, base, samples.bundle, TOKEN)
        yield base


def report(base: str, *arguments: str, token: str = TOKEN) -> tuple[int, dict[str, Any]]:
    """The exit status, and the verdict or sentence of each check."""
    done = run_doctor(base, "--json", *arguments, env={"HAPI_TOKEN": token})
    content = orjson.loads(done.stdout)
    return done.exit_code, {one["part"]: one for one in content["findings"]} | {"tell": content["tell"]}


def test_everything_works_with_a_token(hapi: str, live: Live) -> None:
    """With token, patient and archive nothing is missing, and the token stays with its server."""
    archive = live.sandbox.dicomweb_url
    status, found = report(hapi, "--token-env", "HAPI_TOKEN", "--patient", PATIENT, "--dicomweb", archive)

    assert (status, found["tell"]) == (0, [])
    assert "not sent" in found["archive/token"]["sentence"]


def test_token_that_is_missing_is_the_one_failure(hapi: str) -> None:
    """Without a token one check fails, and the searches that need it are skipped."""
    status, found = report(hapi, "--patient", PATIENT)

    assert status == 1
    assert [part for part, one in found.items() if part != "tell" and one["verdict"] == "failed"] == ["token/needed"]


def test_token_that_is_wrong_is_told_once(hapi: str) -> None:
    """A token that the server does not know is one sentence to its administrator."""
    status, found = report(hapi, "--token-env", "HAPI_TOKEN", "--patient", PATIENT, token="another")

    assert status == 1
    assert len(found["tell"]) == 1


def test_somebody_is_found_where_nobody_is_named(hapi: str) -> None:
    """`--any-patient` finds one of the patients by itself."""
    _, found = report(hapi, "--token-env", "HAPI_TOKEN", "--any-patient")

    assert found["patient/chosen"]["verdict"] == "ok"
    assert found["patient/read"]["verdict"] == "ok"
