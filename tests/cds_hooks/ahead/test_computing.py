"""From news on a server to a hook that finds the finished card."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import SecretStr

from cds_hooks.ahead.computing import ATTEMPTS
from cds_hooks.jobs import QueueDown
from cds_hooks.store.states import Claim, Question
from fhir_adapter.auth.access import Bearer
from fhir_adapter.prefetch import TEMPLATES
from tests.cds_hooks.ahead.ward import NARROW, Site, Ward, site
from tests.cds_hooks.fakes import until
from tests.cds_hooks.samples import (
    PATIENT_ID,
    SECRETS,
    make_authorization,
    make_bundle,
    make_hook,
    make_observation,
    make_patient,
)

REFUSED = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden"}]}


def hook_of(ward: Ward, **changes: Any) -> dict[str, Any]:
    """Return a hook that gives access to the ward and sends nothing along."""
    return make_hook(**{"fhirServer": ward.base, "prefetch": ..., **changes})


def prefetched(ward: Ward, **changes: Any) -> dict[str, Any]:
    """Return what the EHR sends along that has the ward's data: the resources as they are stored."""
    patient, labs = ward.resources.read("Patient", PATIENT_ID), ward.resources.read("Observation", "crp-1")
    empty = {key: make_bundle() for key in TEMPLATES}
    return {**empty, "patient": patient, "labs": make_bundle(labs), **changes}


def own_token(_server: str) -> Bearer:
    """Return the service's own access to any server."""
    return Bearer(SecretStr("own-token"))


async def compute_ahead(site: Site) -> None:
    """Let news be found, and the case be computed."""
    await site.watching.look()
    assert await site.watching.compute()


@pytest.mark.parametrize("sent_along", [False, True], ids=["fetched", "prefetched"])
async def test_opening_the_chart_finds_the_finished_card(site: Site, sent_along: bool) -> None:  # noqa: FBT001
    """A hook about the same chart starts no job: its card is that of the job computed ahead."""
    await compute_ahead(site)
    prefetch = prefetched(site.ward) if sent_along else ...
    (card,) = (await site.service.fire(hook_of(site.ward, prefetch=prefetch))).json()["cards"]
    (entry,) = site.audited("ahead-computed")

    assert card["summary"].startswith("Bacterial pneumonia")
    assert (len(site.service.pipeline.cases), card["extension"]["org.mllm-cds.result"]["job"]) == (1, entry.job_id)


async def test_token_of_the_caller_is_another_one(ward: Ward) -> None:
    """Whoever may see the same data finds the card, with a token of their own."""
    async with site(ward, access=own_token) as here:
        await compute_ahead(here)
        await here.service.fire(hook_of(ward, fhirAuthorization=make_authorization()))

    assert len(here.service.pipeline.cases) == 1


@pytest.mark.parametrize(
    "narrower", [{}, {"fhirAuthorization": make_authorization(scope="user/Patient.rs user/Observation.rs")}]
)
async def test_caller_who_may_not_read_notes_does_not_get_the_answer_made_of_them(
    ward: Ward, narrower: dict[str, Any]
) -> None:
    """Notes and films lie outside the chart: who holds the whole chart, but not the right to read on, is asked anew."""
    async with site(ward, access=own_token) as here:
        await compute_ahead(here)
        await here.service.fire(hook_of(ward, prefetch=prefetched(ward), **narrower))

    assert len(here.service.pipeline.cases) == 2


@pytest.mark.parametrize(
    "smaller",
    [
        {"prefetch": {"labs": REFUSED}},
        {"prefetch": {"labs": None}},
        {"prefetch": {"labs": make_bundle()}},
        {"fhirAuthorization": make_authorization(access_token=NARROW)},
        {"prefetch": {"labs": make_bundle(make_observation(valueQuantity={"value": 97}))}},
    ],
    ids=["refused", "none", "empty", "narrow token", "guessed"],
)
async def test_caller_with_a_smaller_chart_does_not_get_the_bigger_answer(site: Site, smaller: dict[str, Any]) -> None:
    """What the service's own access shows is not handed to a caller whose chart holds less, or something else."""
    await compute_ahead(site)
    response = await site.service.fire(hook_of(site.ward, **smaller))
    ahead_case, hook_case = site.service.pipeline.cases
    (entry,) = site.audited("ahead-computed")

    assert ahead_case.chart != hook_case.chart
    assert response.json()["cards"][0]["extension"]["org.mllm-cds.result"]["job"] != entry.job_id


async def test_result_after_the_computation_makes_another_card(site: Site) -> None:
    """A result that came later is not in the finished card: the hook asks anew, and so does the next computation."""
    await compute_ahead(site)
    site.ward.add(make_observation(2))
    await site.service.fire(hook_of(site.ward))

    assert [len(case.chart.observations) for case in site.service.pipeline.cases if case.chart] == [1, 2]


async def test_hook_joins_the_job_that_runs_ahead(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chart opened while its case is being computed waits for that job and starts none."""
    claims: list[Claim] = []
    claim = site.parts.store.jobs.claim

    def noted(question: Question) -> Claim:
        claims.append(claim(question))
        return claims[-1]

    monkeypatch.setattr(site.parts.store.jobs, "claim", noted)
    site.service.pipeline.hold()
    await site.watching.look()
    computing = asyncio.create_task(site.watching.compute())
    await until(lambda: bool(site.service.pipeline.cases))
    hook = asyncio.create_task(site.service.fire(hook_of(site.ward)))
    await until(lambda: len(claims) == 2)
    site.service.pipeline.let_go()
    await computing

    assert (await hook).status_code == 200
    assert len(site.service.pipeline.cases) == 1


async def test_case_that_a_hook_has_asked_is_not_computed_again(site: Site) -> None:
    """What a hook has had computed is found, not made twice."""
    await site.service.fire(hook_of(site.ward))
    await compute_ahead(site)

    assert len(site.service.pipeline.cases) == 1


async def test_hooks_go_first(site: Site) -> None:
    """While a hook is being answered nothing is read or computed ahead."""
    await site.watching.look()
    asked = len(site.ward.guard.tokens)
    with site.parts.way.first():
        computing = asyncio.create_task(site.watching.compute())
        await until(lambda: site.parts.way.held_back == 1)
        meanwhile = len(site.ward.guard.tokens)
    await computing

    assert (meanwhile, len(site.service.pipeline.cases)) == (asked, 1)


async def test_nobody_due_is_nothing_to_do(site: Site) -> None:
    """Without news nothing is computed."""
    assert not await site.watching.compute()


async def test_case_is_read_with_the_own_access(ward: Ward) -> None:
    """The chart is read with the service's own access, and the worker, which reads on, is told to use it as well."""
    async with site(ward, access=own_token) as here:
        await compute_ahead(here)
        (case,) = here.service.pipeline.cases

    assert (case.own_access, case.grant) == (True, None)
    assert set(ward.guard.tokens) == {"own-token"}


async def test_result_is_kept_fresh(ward: Ward) -> None:
    """A patient with news is due again when the result is too old for hooks; where that is not wanted, forgotten."""
    async with site(ward, {"keep_fresh": "PT2H"}) as here:
        await compute_ahead(here)
        (row,) = here.rows()
        (entry,) = here.audited("ahead-computed")
        end = here.parts.store.ahead.reused_until(entry.job_id)
    async with site(ward, {"keep_fresh": "PT0S"}) as there:
        await compute_ahead(there)

        assert there.rows() == []
    assert end is not None
    assert (row.due_at - end).total_seconds() == 1


async def test_chart_that_cannot_be_read_is_tried_again_and_given_up(site: Site) -> None:
    """A server that is down puts the case off, each time for longer, and in the end the patient is forgotten."""
    await site.watching.look()
    site.ward.guard.down = True
    pauses = []
    for _ in range(ATTEMPTS):
        now = site.parts.store.clock()
        assert await site.watching.compute()
        pauses += [round((row.due_at - now).total_seconds() / 60) for row in site.rows()]
        site.hasten()

    assert (pauses, site.rows(), site.service.pipeline.cases) == ([1, 2, 4, 8], [], [])


async def test_patient_who_is_not_there_is_given_up_at_once(site: Site) -> None:
    """A patient whom the server does not know is not tried again."""
    site.parts.store.ahead.note(site.ward.base, "nobody")
    await site.watching.compute()

    assert (site.rows(), site.service.pipeline.cases) == ([], [])


async def test_part_that_is_missing_for_the_moment_is_waited_for(site: Site) -> None:
    """A chart with a part that failed is not computed: a hook a minute later has the whole one."""
    await site.watching.look()
    site.ward.guard.fails = "/ImagingStudy"
    await site.watching.compute()
    waiting = list(site.service.pipeline.cases)
    site.ward.guard.fails = ""
    site.hasten()
    await site.watching.compute()

    assert (waiting, len(site.service.pipeline.cases)) == ([], 1)


async def test_part_that_is_refused_is_not_waited_for(ward: Ward) -> None:
    """What our own access never shows is a gap like any other: whoever is refused the same finds the card."""
    async with site(ward, access=lambda _: Bearer(SecretStr(NARROW))) as here:
        here.parts.store.ahead.note(ward.base, PATIENT_ID)
        await here.watching.compute()
        await here.service.fire(hook_of(ward, fhirAuthorization=make_authorization(access_token=NARROW)))

    assert len(here.service.pipeline.cases) == 1


async def test_failed_job_is_tried_again(site: Site) -> None:
    """A model that fails is no end: the case is put off."""
    site.service.pipeline.outcome = ZeroDivisionError(PATIENT_ID)
    await compute_ahead(site)
    (row,) = site.rows()

    assert (row.attempt, row.first_at) == (1, None)


async def test_queue_that_is_down_leaves_no_job_behind(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that could not be enqueued counts as failed, so that the next hook starts it at once."""

    def refuse(_job_id: str) -> None:
        raise QueueDown("down")

    with monkeypatch.context() as patch:
        patch.setattr(site.parts.queue, "put", refuse)
        await compute_ahead(site)
    response = await site.service.fire(hook_of(site.ward))

    assert (response.status_code, len(site.service.pipeline.cases)) == (200, 1)
    assert ([row.attempt for row in site.rows()], len(site.audited("ahead-computed"))) == ([1], 1)


async def test_every_chart_read_is_traced(site: Site) -> None:
    """Each chart that is read with nobody asking leaves a row with the patient's hash and the job, and no user."""
    await compute_ahead(site)
    site.parts.store.ahead.note(site.ward.base, PATIENT_ID)
    await site.watching.compute()
    entries = site.audited("ahead-computed")
    mark = site.parts.store.vault.mark("patient", site.ward.base, PATIENT_ID)

    assert [(entry.patient, entry.actor) for entry in entries] == [(mark, None)] * 2
    assert len({entry.job_id for entry in entries}) == 1


async def test_nothing_is_printed(ward: Ward, capfd: pytest.CaptureFixture[str]) -> None:
    """At the most talkative level no word of the patient is on stdout or stderr, whether it goes well or not."""
    async with site(ward, log_level="DEBUG") as here:
        await compute_ahead(here)
        here.ward.guard.down = True
        here.parts.store.ahead.note(ward.base, PATIENT_ID)
        await here.watching.compute()
    written = "".join(capfd.readouterr())

    assert "computed_ahead" in written
    assert "not_computed_ahead" in written
    assert [secret for secret in (*SECRETS, make_patient()["birthDate"]) if secret in written] == []
