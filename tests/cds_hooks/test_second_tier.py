"""The second tier as a client of the service meets it, through a real Celery worker on the in-memory broker."""

from __future__ import annotations

import asyncio
import dataclasses
import re
import threading
from typing import Any

import pytest
import sqlalchemy as sa

from cds_hooks.store.states import Checked
from cds_hooks.store.tables import audit, checks
from explain.attributes import SourceAttributes
from inference.attributes import Attribute
from tests.cds_hooks.fakes import FakePipeline, Running, make_engine, make_settings, running, until
from tests.cds_hooks.samples import (
    CHECK,
    FAMILY,
    HEAT,
    MODEL_CARD,
    PATIENT_ID,
    PRIOR,
    SECRETS,
    make_bundle,
    make_full_explanation,
    make_hook,
    make_judgement,
    make_observation,
    make_png,
    make_prefetch,
    make_tested,
    out_of_scope,
)

CHECKED = make_judgement(check=CHECK)
TESTED_HEAT = make_png(123)


def other_hook(number: int) -> dict[str, Any]:
    """Return a hook about data that no other hook has."""
    return make_hook(prefetch=make_prefetch(labs=make_bundle(make_observation(number))))


def job_of(card: dict[str, Any]) -> str:
    """Return the job behind a card."""
    job_id: str = card["extension"]["org.mllm-cds.result"]["job"]
    return job_id


async def card_of(service: Running, hook: dict[str, Any] | None = None) -> dict[str, Any]:
    """Have a card shown."""
    card: dict[str, Any] = (await service.fire(hook or make_hook())).json()["cards"][0]
    return card


async def checked_card(service: Running) -> dict[str, Any]:
    """Have a card shown, and its evidence checked."""
    card = await card_of(service)
    await until(lambda: service.store.checks.state(job_of(card)) is not Checked.RUNNING)
    return card


def link_of(card: dict[str, Any]) -> str:
    """Return the address of the page behind a card."""
    url: str = card["links"][0]["url"]
    return url


class Held:
    """A check that waits at its first piece until it is let go."""

    def __init__(self, pipeline: FakePipeline) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()
        pipeline.on_piece = self.hold

    def hold(self, number: int) -> None:
        """Wait at the first piece."""
        if number == 0:
            self.begun.set()
            self.go_on.wait(10)


async def test_no_piece_of_a_check_runs_while_somebody_waits() -> None:
    """From the moment a hook is there until its answer, a check that has begun does not do a single piece."""
    async with running(FakePipeline(CHECKED)) as service:
        pipeline, held = service.pipeline, Held(service.pipeline)
        await card_of(service)
        await asyncio.to_thread(held.begun.wait, 10)
        pipeline.hold()
        hook = asyncio.create_task(service.fire(other_hook(2)))
        await until(lambda: len(pipeline.cases) == 2)
        held.go_on.set()
        await until(lambda: service.app.state.parts.way.held_back == 1)
        pipeline.let_go()
        await hook
        await until(lambda: "piece 2" in pipeline.trace)

    begun = pipeline.trace.index("job begun", 1)
    assert pipeline.trace[: begun + 2] == ["job begun", "job ended", "piece 0", "job begun", "job ended"]


async def test_waiting_hook_is_answered_while_a_check_hangs() -> None:
    """A check that never ends its piece takes no thread and no lock from the hooks."""
    async with running(FakePipeline(CHECKED), make_settings(worker_threads=1)) as service:
        held = Held(service.pipeline)
        await card_of(service)
        await asyncio.to_thread(held.begun.wait, 10)
        answers = [await service.fire(other_hook(number)) for number in range(2, 5)]
        done = service.pipeline.trace.count("piece 1")
        held.go_on.set()

    assert ([answer.status_code for answer in answers], done) == ([200] * 3, 0)


async def test_check_begins_by_itself_and_the_status_tells() -> None:
    """After the answer the check is started at once; whoever asks is told that it runs, and then that it is done."""
    async with running(FakePipeline(CHECKED)) as service:
        held = Held(service.pipeline)
        card = await card_of(service)
        await asyncio.to_thread(held.begun.wait, 10)
        before = (await service.client.get(f"{link_of(card)}/status")).json()
        held.go_on.set()
        await checked_card(service)
        after = (await service.client.get(f"{link_of(card)}/status")).json()

    assert before == {"done": True, "checked": "running"}
    assert after == {"done": True, "checked": "done"}
    assert service.pipeline.checks == [CHECK]


@pytest.mark.parametrize(
    ("judgement", "tested", "checked"),
    [
        (make_judgement(prediction=out_of_scope(), draft=None), make_tested(), "none"),
        (CHECKED, ValueError(FAMILY), "failed"),
    ],
)
async def test_page_without_a_second_tier_is_a_page(judgement: Any, tested: Any, checked: str) -> None:
    """Where there is nothing to check, or the check failed, the first tier is shown, and the status says which."""
    async with running(FakePipeline(judgement, tested=tested)) as service:
        url = link_of(await checked_card(service))
        page = await service.client.get(url)
        status = (await service.client.get(f"{url}/status")).json()

    assert (page.status_code, status["checked"]) == (200, checked)


async def test_page_asks_for_its_second_tier() -> None:
    """The page of the first tier knows where to ask; once checked it no longer does."""
    async with running(FakePipeline(CHECKED)) as service:
        held = Held(service.pipeline)
        url = link_of(await card_of(service))
        await asyncio.to_thread(held.begun.wait, 10)
        first = (await service.client.get(url)).text
        held.go_on.set()
        await checked_card(service)
        second = (await service.client.get(url)).text

    place = url.removeprefix("http://127.0.0.1:8000")
    assert (f'"{place}/status"' in first, first == second) == (True, False)


async def test_withdrawn_heat_map_is_gone() -> None:
    """A heat map that does not beat chance is not to be had any more, the film is."""
    async with running(FakePipeline(CHECKED, tested=make_tested("image"))) as service:
        url = link_of(await checked_card(service))
        heat, film = await service.client.get(f"{url}/heat.png"), await service.client.get(f"{url}/film.png")

    assert (heat.status_code, heat.json()["resourceType"], film.status_code) == (410, "OperationOutcome", 200)


async def test_heat_map_that_holds_stays() -> None:
    """A heat map that beats chance is shown; that the words do not is no reason to withdraw it."""
    async with running(FakePipeline(CHECKED, tested=make_tested("text"))) as service:
        heat = await service.client.get(f"{link_of(await checked_card(service))}/heat.png")

    assert heat.status_code == 200


@pytest.mark.parametrize(("found", "shown"), [(TESTED_HEAT, TESTED_HEAT), (b"", HEAT)])
async def test_heat_map_of_the_check_takes_the_place_of_the_first(found: bytes, shown: bytes) -> None:
    """Where the check makes a map of its own it is shown from then on, at an address that no open page has loaded."""
    async with running(FakePipeline(CHECKED, tested=make_tested(heat_png=found))) as service:
        url = link_of(await checked_card(service))
        heat = await service.client.get(f"{url}/heat.png?checked")
        page = await service.client.get(url)

    assert heat.content == shown
    assert "/heat.png?checked" in page.text


@pytest.mark.parametrize(("there", "status"), [(True, 200), (False, 404)])
async def test_earlier_film_is_shown_where_there_is_one(*, there: bool, status: int) -> None:
    """The earlier film comes from beside the others, under the same link."""
    judgement = make_judgement(explanation=make_full_explanation()) if there else make_judgement()
    async with running(FakePipeline(judgement)) as service:
        url = link_of(await card_of(service))
        prior = await service.client.get(f"{url}/prior.png")
        page = await service.client.get(url)

    assert (prior.status_code, prior.content == PRIOR, "/prior.png" in page.text) == (status, there, there)


async def test_next_card_uses_what_was_found() -> None:
    """The next hook about the same inputs computes nothing, and its card withdraws what does not beat chance."""
    async with running(FakePipeline(CHECKED, tested=make_tested("image"))) as service:
        first = await checked_card(service)
        second = await card_of(service)

    assert (len(service.pipeline.cases), len(service.pipeline.checks)) == (1, 1)
    assert ("right lower zone" in first["summary"], "right lower zone" in second["summary"]) == (True, False)
    assert "Evidence test" in second["detail"]


@pytest.mark.parametrize("looks", ["hook", "page", "status"])
async def test_lost_check_is_started_by_whoever_looks_next(looks: str) -> None:
    """A check whose worker died is begun again by the next hook about it, its page, or a page that still waits."""
    async with running(FakePipeline(CHECKED, tested=TimeoutError())) as service:
        card = await card_of(service)
        await until(lambda: is_lost(service))
        service.pipeline.tested = make_tested()
        if looks == "hook":
            await service.fire(make_hook())
        else:
            await service.client.get(link_of(card) + ("/status" if looks == "status" else ""))
        await until(lambda: service.store.checks.state(job_of(card)) is Checked.DONE)

    assert len(service.pipeline.checks) == 2


def is_lost(service: Running) -> bool:
    """Say whether a check was let go."""
    lost = sa.select(checks).where(checks.c.state == "running", checks.c.lost_at <= service.store.clock())
    with service.store.database.read() as connection:
        return connection.execute(lost).first() is not None


async def test_without_checks_none_is_run() -> None:
    """A site that turns checks off keeps what lies in the queue from being started again."""
    async with running(FakePipeline(CHECKED, tested=TimeoutError())) as service:
        card = await card_of(service)
        await until(lambda: is_lost(service))
        object.__setattr__(service.app.state.parts, "settings", make_settings(checks=False))
        await service.client.get(link_of(card))

    assert len(service.pipeline.checks) == 1


def openings(service: Running) -> list[tuple[str, str, str]]:
    """Return action, card and state of every page that was shown."""
    query = sa.select(audit).where(audit.c.action.in_(["page-opened", "page-filled"])).order_by(audit.c.id)
    with service.store.database.read() as connection:
        return [(row.action, row.card_id, row.shown) for row in connection.execute(query)]


async def test_every_opening_is_recorded_with_what_was_shown() -> None:
    """When a page is opened, card and state are kept: first tier, then checked; polls are no openings."""
    async with running(FakePipeline(CHECKED)) as service:
        held = Held(service.pipeline)
        card = await card_of(service)
        await asyncio.to_thread(held.begun.wait, 10)
        await service.client.get(link_of(card))
        for _ in range(3):
            await service.client.get(f"{link_of(card)}/status")
        held.go_on.set()
        await checked_card(service)
        await service.client.get(link_of(card), headers={"X-Page-Refresh": "1"})
        await service.client.get(link_of(card))
        rows = openings(service)

    card_id = card["uuid"].replace("-", "")
    assert rows == [
        ("page-opened", card_id, "checking"),
        ("page-filled", card_id, "checked"),
        ("page-opened", card_id, "checked"),
    ]


@pytest.mark.parametrize(
    ("pipeline", "shown"),
    [(FakePipeline(make_judgement()), "unchecked"), (FakePipeline(CHECKED, tested=ValueError()), "unchecked")],
)
async def test_opening_without_a_second_tier_is_recorded_as_that(pipeline: FakePipeline, shown: str) -> None:
    """A page whose evidence was never tested is not recorded as if it had been."""
    async with running(pipeline) as service:
        card = await checked_card(service)
        await service.client.get(link_of(card))

        assert [row[2] for row in openings(service)] == [shown]


async def test_waiting_page_is_recorded_once_and_then_what_it_fills_with() -> None:
    """A page that waits is recorded when it is opened, however often it asks, and when it shows a result."""
    async with running(FakePipeline(CHECKED), make_settings(answer_within_s=0.05)) as service:
        service.pipeline.hold()
        card = await card_of(service)
        await service.client.get(link_of(card))
        for _ in range(3):
            await service.client.get(f"{link_of(card)}/status")
        service.pipeline.let_go()
        await until(lambda: service.store.checks.state(job_of(card)) is Checked.DONE)
        await service.client.get(link_of(card))

        assert [row[2] for row in openings(service)] == ["running", "checked"]


@pytest.mark.parametrize("tested", [make_tested(), make_tested("image", "text", "structured")])
async def test_every_address_on_a_page_leads_somewhere(tested: Any) -> None:
    """Whatever was found out, nothing on the page leads to an error: what is withdrawn is not linked."""
    explanation = dataclasses.replace(make_full_explanation(), patient=f"Patient/{PATIENT_ID}/_history/1")
    judgement = make_judgement(check=CHECK, explanation=explanation)
    async with running(FakePipeline(judgement, tested=tested)) as service:
        page = await service.client.get(link_of(await checked_card(service)))
        addresses = re.findall(r'(?:src|href)="(/[^"]+)"', page.text)
        answers = {address: (await service.client.get(address)).status_code for address in addresses}

    assert len(addresses) >= 8
    assert {address: status for address, status in answers.items() if status != 200} == {}


async def test_attributes_are_for_everybody() -> None:
    """What the model is for is one click away, needs no link, and holds nothing of a patient."""
    shown = SourceAttributes((Attribute(number=1, category="(1) Details", heading="Output", text="Three labels."),))
    async with running(engine=lambda pipeline: make_engine(pipeline, attributes=shown)) as service:
        await card_of(service)
        page = await service.client.get("/attributes")

    assert (page.status_code, "Three labels." in page.text, MODEL_CARD.scope in page.text) == (200, True, True)
    assert PATIENT_ID not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("tested", "event"), [(make_tested(), "check_done"), (ValueError(f"{FAMILY} {PATIENT_ID}"), "check_failed")]
)
async def test_check_is_logged_without_the_patient(tested: Any, event: str, capfd: pytest.CaptureFixture[str]) -> None:
    """The log says that a check ended and how long it took, at the most talkative level, and no word more."""
    pipeline = FakePipeline(CHECKED, tested=tested)
    async with running(pipeline, make_settings(log_level="DEBUG")) as service:
        await checked_card(service)
    (line,) = [line for line in "".join(capfd.readouterr()).splitlines() if f'"{event}"' in line]

    assert '"duration_ms"' in line
    assert not [word for word in SECRETS if word in line]
