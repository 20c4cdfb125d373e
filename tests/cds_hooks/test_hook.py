"""From a hook to its card, through a real Celery worker on the in-memory broker."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from cds_hooks.store.tables import audit, cards
from fhir_adapter.record import GapReason
from inference.backends import BackendUnavailable
from tests.cds_hooks.fakes import FakePipeline, Running, make_settings, running, until
from tests.cds_hooks.samples import (
    HOOK_INSTANCE,
    PATIENT_ID,
    make_bundle,
    make_hook,
    make_judgement,
    make_observation,
    make_patient,
    make_prefetch,
    out_of_scope,
    unsure,
)

IN_TIME = 10.0
"""Longer than any test takes."""
AT_ONCE = 0.05
"""A budget that is spent before a job that is held can end."""


def changed(number: int) -> dict[str, Any]:
    """Return a hook about data that no other hook has."""
    return make_hook(prefetch=make_prefetch(labs=make_bundle(make_observation(number))))


def rows_of(service: Running, table: sa.Table) -> list[Any]:
    """Return what was stored."""
    with service.store.database.read() as connection:
        return list(connection.execute(sa.select(table)))


async def test_hook_is_answered_with_a_card(service: Running) -> None:
    """A hook with everything prefetched gets the card of the model's answer."""
    response = await service.fire(make_hook())
    (card,) = response.json()["cards"]

    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert card["summary"].startswith("Bacterial pneumonia likely (86 %)")
    assert response.headers["cache-control"] == "no-store"


async def test_worker_gets_the_case_of_the_hook(service: Running) -> None:
    """The worker judges the prefetched chart, as of the moment of the hook."""
    await service.fire(make_hook())
    (case,) = service.pipeline.cases

    assert case.patient_id == PATIENT_ID
    assert case.chart is not None
    assert (make_patient(), (make_observation(),)) == (case.chart.patient, case.chart.observations)


@pytest.mark.parametrize(
    "judgement", [make_judgement(), *(make_judgement(prediction=p, draft=None) for p in (unsure(), out_of_scope()))]
)
async def test_every_card_keeps_the_rules(judgement: Any) -> None:
    """Whatever the verdict: uuid, short summary, known indicator, labelled source, absolute link, nothing empty."""
    async with running(FakePipeline(judgement)) as service:
        (card,) = (await service.fire(make_hook())).json()["cards"]

    assert {"uuid", "summary", "indicator", "source"} <= card.keys()
    assert card["indicator"] in ("info", "warning", "critical")
    assert len(card["summary"]) < 140
    assert all(link["url"].startswith("http://127.0.0.1:8000/explanations/") for link in card["links"])
    assert not [value for value in walk(card) if value in (None, "", [], {})]


def walk(value: Any) -> list[Any]:
    """Return every value inside a JSON document, but for what a FHIR draft may hold."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [value, *(found for part in inner for found in walk(part))]


async def test_finished_result_answers_at_once(service: Running) -> None:
    """The same data asked about again are not judged again; the card is a new one with a link of its own."""
    first = (await service.fire(make_hook())).json()["cards"][0]
    second = (await service.fire(make_hook(hookInstance="0" * 32))).json()["cards"][0]

    assert len(service.pipeline.cases) == 1
    assert first["summary"] == second["summary"]
    assert first["uuid"] != second["uuid"]
    assert first["links"] != second["links"]


async def test_new_data_are_judged_anew(service: Running) -> None:
    """A new value makes a new question."""
    await service.fire(changed(1))
    await service.fire(changed(2))

    assert len(service.pipeline.cases) == 2


async def test_result_grows_old() -> None:
    """After its lifetime a result is not reused: the ages of the values have changed."""
    async with running(settings=make_settings(result_lifetime=timedelta(seconds=1))) as impatient:
        await impatient.fire(make_hook())
        with impatient.store.database.write() as connection:
            connection.execute(sa.text("UPDATE jobs SET fresh_until = '2000-01-01 00:00:00'"))
        await impatient.fire(make_hook())

        assert len(impatient.pipeline.cases) == 2


async def test_running_job_is_joined() -> None:
    """Hooks about the same data at the same time wait for one job, and all get its card."""
    async with running() as service:
        service.pipeline.hold()
        hooks = [asyncio.create_task(service.fire(make_hook())) for _ in range(5)]
        await until(lambda: bool(service.pipeline.cases))
        service.pipeline.let_go()
        responses = await asyncio.gather(*hooks)

    assert len(service.pipeline.cases) == 1
    assert [response.status_code for response in responses] == [200] * 5
    assert len({response.json()["cards"][0]["uuid"] for response in responses}) == 5


async def test_late_analysis_is_announced_and_found_later() -> None:
    """An answer that is not ready by the deadline is an informing card; its page fills itself, the next hook has it."""
    async with running(settings=make_settings(answer_within_s=AT_ONCE)) as service:
        service.pipeline.hold()
        (late,) = (await service.fire(make_hook())).json()["cards"]
        waiting = await service.client.get(late["links"][0]["url"])
        service.pipeline.let_go()
        await until(lambda: bool(rows_of_done(service)))
        filled = await service.client.get(late["links"][0]["url"])
        (ready,) = (await service.fire(make_hook())).json()["cards"]

    assert (late["indicator"], late["extension"]["org.mllm-cds.result"]["state"]) == ("info", "running")
    assert "The analysis is running" in waiting.text
    assert "Bacterial pneumonia" in filled.text
    assert (len(service.pipeline.cases), ready["summary"].startswith("Bacterial pneumonia")) == (1, True)


def rows_of_done(service: Running) -> list[Any]:
    """Return the jobs that are done."""
    with service.store.database.read() as connection:
        return list(connection.execute(sa.text("SELECT id FROM jobs WHERE state = 'done'")))


async def test_slow_case_does_not_hold_up_others() -> None:
    """While one patient's case hangs, another's is judged."""
    async with running(settings=make_settings(answer_within_s=IN_TIME)) as service:
        service.pipeline.hold()
        slow = asyncio.create_task(service.fire(changed(1)))
        await until(lambda: len(service.pipeline.cases) == 1)
        service.pipeline.held, held = None, service.pipeline.held
        fast = await service.fire(changed(2))
        done = slow.done()
        assert held is not None
        held.set()
        service.pipeline.let_go()
        await slow

    assert (fast.status_code, done) == (200, False)


@pytest.mark.parametrize(
    ("error", "status"),
    [(BackendUnavailable("down"), 503), (ZeroDivisionError(PATIENT_ID), 500), (TimeoutError(), 503)],
)
async def test_failed_job_is_an_error_and_the_next_hook_tries_again(error: Exception, status: int) -> None:
    """A failure is 5xx with an OperationOutcome, never an empty list; once the cause is gone the card is there."""
    async with running(FakePipeline(error)) as service:
        failed = await service.fire(make_hook())
        service.pipeline.outcome = make_judgement()
        healed = await service.fire(make_hook())

    assert (status, "OperationOutcome") == (failed.status_code, failed.json()["resourceType"])
    assert PATIENT_ID not in failed.text
    assert (healed.status_code, len(service.pipeline.cases)) == (200, 2)


async def test_hook_is_traced(service: Running) -> None:
    """Who asked about whom is kept as keyed hashes, with the request and the job."""
    response = await service.fire(make_hook())
    (entry,) = [row for row in rows_of(service, audit) if row.action == "hook-answered"]

    assert entry.request_id == response.headers["x-request-id"]
    assert (len(entry.actor), len(entry.patient)) == (64, 64)
    assert PATIENT_ID not in str(entry)


async def test_refused_hook_is_traced(service: Running) -> None:
    """Who asked about whom and was refused is kept under the same hashes as who was answered."""
    refused = await service.fire(make_hook(prefetch=make_prefetch(patient=make_patient(id="other"))))
    await service.fire(make_hook())
    entries = {row.action: row for row in rows_of(service, audit)}
    refusal, answered = entries["hook-refused"], entries["hook-answered"]

    assert (refused.status_code, refusal.request_id) == (400, refused.headers["x-request-id"])
    assert (refusal.actor, refusal.patient, refusal.job_id) == (answered.actor, answered.patient, None)


async def test_refusal_goes_out_without_its_trace(service: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that is down keeps no refusal back, nor turns it into another one."""

    def fail(_entry: object) -> None:
        raise sa.exc.OperationalError("", None, Exception())

    monkeypatch.setattr(service.store.upkeep, "record", fail)
    refused = await service.fire(make_hook(prefetch=make_prefetch(patient=make_patient(id="other"))))

    assert refused.status_code == 400


async def test_two_servers_may_use_the_same_patient_id(service: Running) -> None:
    """Patient 1 of one EHR is not patient 1 of another: marks and results do not meet."""
    await service.fire(make_hook())
    parts = service.app.state.parts
    marks = {parts.store.vault.mark("patient", server, PATIENT_ID) for server in ("", "https://a", "https://b")}

    assert len(marks) == 3


async def test_shown_card_is_remembered(service: Running) -> None:
    """Every card that goes out is known when feedback on it comes back."""
    (card,) = (await service.fire(make_hook())).json()["cards"]
    (row,) = rows_of(service, cards)

    assert (card["uuid"].replace("-", ""), "answer") == (row.id, row.kind)
    assert row.suggestion == card["suggestions"][0]["uuid"].replace("-", "")


async def test_optional_fields_change_nothing(service: Running) -> None:
    """Extensions and fields of later versions do not make another case of it."""
    await service.fire(make_hook())
    response = await service.fire(make_hook(extension={"com.example": 1}, hookInstance=HOOK_INSTANCE, later=True))

    assert (response.status_code, len(service.pipeline.cases)) == (200, 1)


async def test_gaps_are_on_the_card(service: Running) -> None:
    """What was missing stands on the card that is shown, with the reason."""
    explanation = dataclasses.replace(make_judgement().explanation, missing=(f"Radiograph: {GapReason.REFUSED.value}",))
    service.pipeline.outcome = make_judgement(explanation=explanation)
    (card,) = (await service.fire(make_hook())).json()["cards"]

    assert "- Radiograph: the FHIR server refused access" in card["detail"]
