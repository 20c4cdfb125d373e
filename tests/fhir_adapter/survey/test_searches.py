from __future__ import annotations

import httpx
import pytest

from fhir_adapter.rest.capabilities import Capabilities, FhirVersion
from fhir_adapter.survey.findings import Verdict
from fhir_adapter.survey.searches import check_searches
from tests.fhir_adapter.builders import PATIENT_ID, answer, observation, outcome, study
from tests.fhir_adapter.survey.sites import OTHER, Fault, at, bundle, findings_of, visit

ELSEWHERE = {"reference": f"https://inner.example.org/Patient/{PATIENT_ID}"}
HTML = answer(b"<html>Log in</html>", content_type="text/html")


def unless_free(path: str, reply: httpx.Response) -> Fault:
    """A fault of searches that bound the date."""

    def fault(request: httpx.Request) -> httpx.Response | None:
        return reply if f"/{path}" in request.url.path and b"ge2" in request.url.query else None

    return fault


@pytest.mark.parametrize(
    ("fault", "part", "verdict", "said"),
    [
        (at("Observation", HTML), "search/vitals", Verdict.FAILED, "text/html in place of FHIR JSON"),
        (at("Observation", answer([])), "search/vitals", Verdict.FAILED, "a Bundle is expected"),
        (at("Observation", answer(b"{")), "search/labs", Verdict.FAILED, "a Bundle is expected"),
        (at("Observation", answer({}, 500)), "search/labs", Verdict.FAILED, "HTTP 500"),
        (at("Observation", answer({}, 401)), "search/labs", Verdict.FAILED, "not accepted"),
        (at("Observation", answer({}, 403)), "search/vitals", Verdict.FAILED, "refused with HTTP 403"),
        (at("ImagingStudy", answer(outcome(), 404)), "search/imaging", Verdict.MISSING, "not on this server"),
        (at("Media", answer(outcome(), 404)), "search/media", Verdict.WARN, "we can do without"),
        (at("Observation", bundle(observation(subject=OTHER))), "search/vitals", Verdict.FAILED, "DANGER"),
        (
            at(
                "Observation",
                bundle(observation(subject=ELSEWHERE)),
            ),
            "search/vitals",
            Verdict.FAILED,
            "1 results name the patient by the address of another server",
        ),
        (
            at("Observation", bundle(observation(subject=OTHER), observation(subject=ELSEWHERE))),
            "search/vitals",
            Verdict.FAILED,
            "DANGER: Observation: 2 results",
        ),
        (at("Observation", bundle(observation(subject={}))), "search/labs", Verdict.FAILED, "DANGER"),
        (
            at("ImagingStudy", bundle(study(started="2019-01-01"))),
            "search/imaging",
            Verdict.WARN,
            "the date bound is ignored, 1 results",
        ),
        (
            unless_free("DocumentReference", answer(outcome(), 400)),
            "search/notes",
            Verdict.FAILED,
            "without the date bound it works: date is not understood",
        ),
        (
            unless_free("Observation", answer(bundle())),
            "search/vitals",
            Verdict.OK,
            "nothing in the last 3 days, 2 older",
        ),
    ],
)
async def test_fault_of_a_search_is_named(fault: Fault, part: str, verdict: Verdict, said: str) -> None:
    """Each fault has a verdict of its own, and a sentence that tells it from others."""
    finding = (await findings_of(check_searches, fault))[part]

    assert finding.verdict is verdict
    assert said in finding.sentence


async def test_good_site_has_nothing_to_fix() -> None:
    """Nothing on file is no fault: the search is accepted."""
    found = await findings_of(check_searches)

    assert {finding.verdict for finding in found.values()} == {Verdict.OK}
    assert found["search/vitals"].sentence == "Observation: 2 in the last 3 days, 2 in all"


async def test_refusal_tells_which_scope_to_ask_for() -> None:
    """The administrator is told the scope by name."""
    found = await findings_of(check_searches, at("ImagingStudy", answer({}, 403)))
    assert "patient/ImagingStudy.rs" in found["search/imaging"].advice


async def test_server_that_asks_for_a_token_is_not_blamed_for_each_search() -> None:
    """Without a token every search is skipped; one other check says why."""
    found = await findings_of(check_searches, at("", answer({}, 401)), token=None)
    assert {finding.verdict for finding in found.values()} == {Verdict.SKIPPED}


async def test_nobody_is_searched_for_without_a_patient() -> None:
    """Without a patient the searches are made for one who does not exist, and nobody's record is shown."""
    asked: list[str] = []

    def spy(request: httpx.Request) -> None:
        asked.append(request.url.params.get("patient", ""))

    found = await findings_of(check_searches, spy, patient_id="")

    assert set(asked) == {"mllm-cds-doctor-nobody"}
    assert {finding.verdict for finding in found.values()} == {Verdict.OK}


async def test_filter_that_is_ignored_shows_without_a_patient_too() -> None:
    """Results for a patient who does not exist are a danger."""
    found = await findings_of(check_searches, at("Observation", bundle(observation())), patient_id="")

    assert not found["search/vitals"].ok
    assert "DANGER" in found["search/vitals"].sentence


async def test_r5_server_is_not_asked_for_media() -> None:
    """R5 has no Media."""
    one = visit()
    one.capabilities = Capabilities(FhirVersion.R5)
    found = {finding.part: finding for finding in await check_searches(one)}

    assert found["search/media"].verdict is Verdict.SKIPPED
    assert found["search/vitals"].sentence.endswith("(works though not listed)")
