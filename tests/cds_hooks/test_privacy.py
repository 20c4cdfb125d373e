"""Nothing of the patient is printed, logged or lies readable in the database, whatever happens."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pydantic import HttpUrl

from fhir_adapter.settings import FhirSettings
from inference.backends import BackendError
from tests.cds_hooks.fakes import FakePipeline, Running, make_engine, make_settings, running
from tests.cds_hooks.samples import (
    CHECK,
    FAMILY,
    NOTE_WORDS,
    SECRETS,
    SERVER,
    make_authorization,
    make_bundle,
    make_hook,
    make_judgement,
    make_observation,
    make_patient,
    make_prefetch,
)

COMMENT = "grandmother disagrees"
WORDS = (*SECRETS, *NOTE_WORDS.split(), COMMENT, "grandmother", "96 mg", "2023-03-02")
FHIR = FhirSettings(allowed_servers=(HttpUrl(SERVER),))
HOOK = make_hook(fhirServer=SERVER, fhirAuthorization=make_authorization())


async def everything_that_can_happen(service: Running) -> list[str]:
    """Fire good and bad hooks, open pages, give feedback; return the secrets that came up on the way."""
    good = (await service.fire(HOOK)).json()["cards"][0]
    url = good["links"][0]["url"]
    for path in ("", "/status", "/film.png", "/heat.png", "/prior.png", "x"):
        await service.client.get(url + path)
    reason = {"reason": {"code": "not-useful"}, "userComment": COMMENT}
    await service.client.post(f"{url}/feedback", json={"outcome": "overridden", "overrideReason": reason})
    item = {"card": good["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-11-24T09:20:00Z",
            "overrideReason": {"userComment": COMMENT}}  # fmt: skip
    await service.client.post("/cds-services/mllm-diagnosis/feedback", json={"feedback": [item]})
    for bad in (
        make_hook(hookInstance=FAMILY),
        make_hook(prefetch=make_prefetch(patient=make_patient(id="other"))),
        make_hook(prefetch=make_prefetch(labs=FAMILY)),
        make_hook(fhirServer=f"https://{FAMILY}.example"),
        make_hook(prefetch={}),
        FAMILY,
    ):
        await service.fire(bad)
    for number, error in enumerate((BackendError(FAMILY), ValueError(NOTE_WORDS), KeyError(FAMILY))):
        service.pipeline.outcome = error
        await service.fire(make_hook(prefetch=make_prefetch(labs=make_bundle(make_observation(number + 10)))))
    await service.client.get(f"/Patient/{FAMILY}?name={FAMILY}", headers={"X-Request-Id": FAMILY})
    return [*WORDS, url.rsplit("/", 1)[1]]


@pytest.mark.parametrize("form", ["json", "console"])
async def test_nothing_is_printed(form: str, capfd: pytest.CaptureFixture[str]) -> None:
    """At the most talkative level, no word of the patient, no token and no comment is on stdout or stderr."""
    pipeline = FakePipeline(make_judgement(check=CHECK))
    async with running(pipeline, make_settings(log_level="DEBUG", log_format=form), FHIR) as service:
        secrets = await everything_that_can_happen(service)
    written = "".join(capfd.readouterr())

    assert "job_done" in written
    assert "check_done" in written
    assert [secret for secret in secrets if secret in written] == []


async def test_failure_of_the_web_prints_no_data(capfd: pytest.CaptureFixture[str]) -> None:
    """An unforeseen error whose text quotes the patient is logged by its type and place only."""

    async def broken(*_: object, **__: object) -> Any:
        raise RuntimeError(FAMILY)

    settings = make_settings(log_level="DEBUG")
    async with running(settings=settings, engine=lambda pipeline: make_engine(pipeline, collect=broken)) as service:
        await service.fire(HOOK)
    written = "".join(capfd.readouterr())

    assert '"error": "RuntimeError"' in written
    assert FAMILY not in written


def read_all(folder: Path) -> bytes:
    """Return every byte of the database."""
    return b"".join(path.read_bytes() for path in folder.glob("mllm-cds.sqlite3*"))


async def test_nothing_lies_readable_in_the_database(tmp_path: Path) -> None:
    """Whoever gets hold of the file finds no word of the patient, no token, and no link that works."""
    settings = make_settings(database_url=None, state_dir=tmp_path)
    async with running(FakePipeline(make_judgement(check=CHECK)), settings, FHIR) as service:
        secrets = await everything_that_can_happen(service)
        raw = await asyncio.to_thread(read_all, tmp_path)

    assert b"hook-answered" in raw
    assert [secret for secret in secrets if secret.encode() in raw] == []


async def test_errors_tell_the_client_nothing_it_did_not_know(tmp_path: Path) -> None:
    """No refusal repeats what was sent: the other side logs it."""
    async with running(FakePipeline(ValueError(FAMILY)), fhir=FHIR) as service:
        answers = [
            await service.fire(make_hook(hookInstance=FAMILY)),
            await service.fire(make_hook(fhirServer=f"https://{FAMILY}.example")),
            await service.fire(HOOK),
            await service.client.get(f"/{FAMILY}"),
        ]

    assert [answer.status_code for answer in answers] == [400, 403, 500, 404]
    assert not [answer for answer in answers if FAMILY in answer.text]
