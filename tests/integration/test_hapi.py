from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from cds_hooks.commands.hook_client import HookAnswer, HookClient, Question, find_service
from cds_hooks.commands.transactions import send_transaction
from cds_hooks.sandbox.cases import load_cases
from cds_hooks.sandbox.patients import sample_patients
from tests.integration.hapi_server import why_not
from tests.sandbox.live import Live, live_demo

pytestmark = [pytest.mark.hapi, pytest.mark.skipif(bool(why_not()), reason=why_not() or "HAPI can be started")]

OF_THE_CALL = {"uuid", "url", "job", "jobMs", "modelMs", "recordedDate"}
"""What differs from call to call: identifiers, links, times."""


@pytest.fixture(scope="module")
def hapi(hapi_base: str) -> str:
    return hapi_base


@pytest.fixture(scope="module")
def live(hapi: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The demonstration, and HAPI with the same patients, loaded by one transaction."""
    now = datetime.now(UTC)
    with live_demo(tmp_path_factory.mktemp("demo"), None, hapi, now=now) as live:
        samples = sample_patients(now, live.sandbox.dicomweb_url)
        with httpx.Client(timeout=120) as http:
            send_transaction(http, hapi, samples.bundle)
        yield live


async def ask(live: Live, patient: str, *servers: str) -> list[HookAnswer]:
    async with httpx.AsyncClient(timeout=60) as http:
        client = HookClient(http, await find_service(http, live.url))
        return [await client.fire(Question(patient, server)) for server in servers]


def lasting(part: Any) -> Any:
    """Return a card without what differs from call to call."""
    if isinstance(part, dict):
        return {key: lasting(value) for key, value in part.items() if key not in OF_THE_CALL}
    return [lasting(item) for item in part] if isinstance(part, list) else part


@pytest.mark.parametrize("patient", [case.id for case in load_cases()])
def test_cards_from_hapi_equal_those_from_the_sandbox(live: Live, hapi: str, patient: str) -> None:
    """The same chart gives the same card, whichever FHIR server it is fetched from."""
    from_sandbox, from_hapi = asyncio.run(ask(live, patient, live.sandbox.fhir_url, hapi))

    assert from_hapi.problem == ""
    assert lasting(list(from_hapi.cards)) == lasting(list(from_sandbox.cards))


def test_film_of_a_patient_on_hapi_is_read(live: Live, hapi: str) -> None:
    """The Endpoint on HAPI leads to the film on the DICOMweb server."""
    (answer,) = asyncio.run(ask(live, "demo-t4k1", hapi))
    assert "image" in answer.cards[0]["extension"]["org.mllm-cds.result"]["modalities"]


def test_unknown_patient_on_hapi_is_an_error(live: Live, hapi: str) -> None:
    """Nothing to be had is 412, never an empty card list."""
    (answer,) = asyncio.run(ask(live, "demo-nobody", hapi))
    assert (answer.status, answer.cards) == (412, ())
