from __future__ import annotations

from typing import Any

import httpx
import pytest

from fhir_adapter.rest.bundles import Page
from fhir_adapter.survey.findings import Verdict
from fhir_adapter.survey.manners import check_manners, judge_order, judge_page_size
from fhir_adapter.survey.pages import newest_first
from fhir_adapter.survey.searches import check_searches
from tests.fhir_adapter.builders import Json, answer, observation, outcome
from tests.fhir_adapter.survey.sites import Fault, bundle, resources, visit

PULSES = [each for each in resources() if each["resourceType"] == "Observation"]
ELSEWHERE = {"link": [{"relation": "next", "url": "https://inner.example.org:8443/fhir?_getpages=1"}]}


def when(condition: str, reply: httpx.Response | Json) -> Fault:
    """A fault of requests whose address or body holds a text."""

    def fault(request: httpx.Request) -> httpx.Response | None:
        asked = f"{request.method} {request.url} {request.content.decode()}"
        return (reply if isinstance(reply, httpx.Response) else answer(reply)) if condition in asked else None

    return fault


async def found_with(*faults: Fault, **target: Any) -> dict[str, tuple[Verdict, str]]:
    one = visit(*faults, **target)
    await check_searches(one)
    return {finding.part: (finding.verdict, finding.sentence) for finding in await check_manners(one)}


@pytest.mark.parametrize(
    ("fault", "part", "verdict", "said"),
    [
        (when("doctor-nobody", bundle(*PULSES)), "manners/nobody", Verdict.FAILED, "DANGER"),
        (when("doctor-nobody", answer(outcome(), 404)), "manners/nobody", Verdict.OK, "HTTP 404"),
        (when("doctor-nobody", answer({}, 500)), "manners/nobody", Verdict.FAILED, "HTTP 500"),
        (when("_search", answer({}, 405)), "manners/post", Verdict.WARN, "GET is used"),
        (
            when("_search", bundle(observation(subject={"reference": "Patient/x"}))),
            "manners/post",
            Verdict.FAILED,
            "DANGER",
        ),
        (when("nosuch", bundle()), "manners/unknown-parameter", Verdict.OK, "lenient"),
        (when("nosuch", answer({}, 503)), "manners/unknown-parameter", Verdict.SKIPPED, "HTTP 503"),
        (when("category=vital-signs", bundle()), "manners/token", Verdict.FAILED, "come back empty"),
        (when("%7Cvital-signs", bundle()), "manners/token", Verdict.WARN, "without its system only"),
        (when("_count=1 ", bundle(*PULSES)), "manners/paging", Verdict.WARN, "_count is ignored"),
        (when("_count=1 ", bundle(PULSES[0])), "manners/paging", Verdict.FAILED, "results are lost"),
        (when("_count=1 ", bundle(PULSES[0], **ELSEWHERE)), "manners/paging", Verdict.FAILED, "inner.example.org:8443"),
        (when("_offset", bundle(PULSES[0])), "manners/paging", Verdict.WARN, "repeats the first"),
        (when("_offset", bundle()), "manners/paging", Verdict.WARN, "is empty"),
        (when("_offset", answer({}, 410)), "manners/paging", Verdict.FAILED, "HTTP 410"),
        (when("POST https://ehr.example.org/fhir ", answer({}, 404)), "manners/batch", Verdict.OK, "no batches"),
        (when("POST https://ehr.example.org/fhir ", bundle()), "manners/batch", Verdict.WARN, "one good answer"),
        (when("Observation?", bundle(*reversed(PULSES))), "manners/order", Verdict.OK, "newest first"),
        (
            when("Observation?", bundle(observation(effectiveDateTime="2019-01-01"), observation(id="b"))),
            "manners/order",
            Verdict.WARN,
            "vitals, labs",
        ),
        (when("Observation?", bundle(*PULSES, **ELSEWHERE)), "manners/page-size", Verdict.WARN, "vitals 2 of 100"),
    ],
)
async def test_manner_is_named(fault: Fault, part: str, verdict: Verdict, said: str) -> None:
    """What a server does with filters, paging, order and POST is told apart."""
    found = (await found_with(fault))[part]

    assert found[0] is verdict
    assert said in found[1]


async def test_links_that_are_rerooted_are_a_warning() -> None:
    """Where the operator has them followed beneath the base, nothing is lost."""
    one = visit(when("_count=1 ", bundle(PULSES[0], **ELSEWHERE)))
    one.settings = one.settings.model_copy(update={"reroot_links": True})
    await check_searches(one)
    found = {finding.part: finding for finding in await check_manners(one)}

    assert found["manners/paging"].verdict is Verdict.WARN
    assert one.links_elsewhere


async def test_good_manners_are_ok() -> None:
    """A server that does everything right has nothing to be told."""
    assert {verdict for verdict, _ in (await found_with()).values()} == {Verdict.OK}


async def test_nobodys_record_is_paged_through_without_a_patient() -> None:
    """What needs results is skipped where no patient was named."""
    found = await found_with(patient_id="")

    skipped = {part for part, (verdict, _) in found.items() if verdict is Verdict.SKIPPED}
    assert skipped == {"manners/token", "manners/paging", "manners/order", "manners/page-size"}


@pytest.mark.parametrize(
    ("days", "expected"),
    [(["2026-11-24", "2026-11-24T23:00:00Z"], True), (["2026-11-20", "2026-11-24"], False), (["", "2026"], True)],
)
def test_vague_dates_prove_no_disorder(days: list[str], expected: bool) -> None:  # noqa: FBT001 - a table
    """A date without a time may stand anywhere within its day."""
    assert newest_first([{"effectiveDateTime": day} for day in days]) is expected


def test_nothing_is_said_of_pages_that_were_not_seen() -> None:
    """Order and size are skipped, not praised, where no search gave a page."""
    verdicts = [
        judge_order({}).verdict,
        judge_page_size({}).verdict,
        judge_order({"labs": Page((), (), "", empty=True)}).verdict,
    ]
    assert set(verdicts) == {Verdict.SKIPPED}
