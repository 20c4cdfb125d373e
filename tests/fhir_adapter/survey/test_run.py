from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest

from fhir_adapter.deadline import Deadline
from fhir_adapter.survey.asking import MAX_REQUESTS, Asker
from fhir_adapter.survey.checks import CHECKS
from fhir_adapter.survey.conclusion import conclude
from fhir_adapter.survey.findings import Finding, Verdict
from fhir_adapter.survey.run import in_full
from tests.fhir_adapter.builders import ASKED_AT, PATIENT_ID, SERVER, answer, patient
from tests.fhir_adapter.survey.sites import OTHER, SECRET, Port, at, statement, visit, whole

DEEP = b"[" * 100_000
LOOPS = {"resourceType": "Bundle", "link": [{"relation": "next", "url": f"{SERVER}/x"}], "entry": [{}]}
NONSENSE = [
    answer(b"<html>", content_type="text/html"),
    answer(b"", content_type=""),
    answer(b"\xff\xfe", content_type="application/fhir+json; charset=utf-99"),
    answer(b"{"),
    answer(DEEP),
    answer([]),
    answer(7),
    answer({"resourceType": "Bundle", "entry": 3}),
    answer(LOOPS),
    answer({"resourceType": ["Patient"], "id": {}, "entry": [{"resource": []}]}),
    answer(patient(subject=OTHER)),
    answer(statement(rest=[{"mode": "server", "resource": [{"type": 1, "searchParam": "x"}]}])),
    answer({}, 401),
    answer({}, 429),
    answer({}, 500),
    httpx.Response(302, headers={"location": "//"}),
    httpx.Response(302),
    httpx.Response(204),
]


@pytest.mark.parametrize("reply", NONSENSE, ids=range(len(NONSENSE)))
async def test_nonsense_never_crashes_the_doctor(reply: httpx.Response) -> None:
    """Whatever a server answers to everything, each check has one finding and none has broken."""
    async with Port() as base_url:
        one = visit(at("", reply), base_url=base_url)
        findings = await whole(one)

    assert [finding.part for finding in findings] == _in_order(findings)
    assert not conclude(findings, one).works
    assert not any("check itself failed" in finding.sentence for finding in findings)


def _in_order(findings: list[Finding]) -> list[str]:
    """Every check once, in the order in which the groups are made."""
    found = [finding.part for finding in findings]
    assert sorted(found) == sorted(CHECKS)
    return found


async def test_broken_connection_never_crashes_the_doctor() -> None:
    """A server that drops every connection is not reached."""

    def drop(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("gone", request=request)

    async with Port() as base_url:
        one = visit(handler=drop, base_url=base_url)
        findings = await whole(one)

    assert {finding.part for finding in findings} == set(CHECKS)
    assert {finding.sentence for finding in findings if finding.part.startswith("search/")} == {
        "the server was not reached"
    }


async def test_server_that_never_ends_its_answer_is_left_in_time() -> None:
    """A server that hangs costs the time that was granted, and no more."""

    async def hang(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError(request)

    async with Port() as base_url:
        one = visit(base_url=base_url)
        one.asker = Asker(httpx.AsyncClient(transport=httpx.MockTransport(hang)), base_url, None, Deadline.after(0.2))
        findings = await whole(one)

    assert {finding.part for finding in findings} == set(CHECKS)
    assert not any(finding.verdict is Verdict.OK for finding in findings if finding.part.startswith("search/"))


async def test_check_that_breaks_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake of ours is one finding for each check of its group, and the others go on."""
    monkeypatch.setattr("fhir_adapter.survey.capability.read_capabilities", lambda statement: 1 / 0)
    async with Port() as base_url:
        findings = {finding.part: finding for finding in await whole(visit(base_url=base_url))}

    assert findings["capability/types"].sentence.startswith("the check itself failed (ZeroDivisionError)")
    assert findings["search/vitals"].verdict is Verdict.OK


async def test_time_that_is_over_skips_the_rest() -> None:
    """Nothing is asked after the deadline."""
    async with Port() as base_url:
        one = visit(base_url=base_url)
        one.asker.deadline = Deadline.after(0)
        findings = await whole(one)

    assert one.asker.requests == 0
    assert {finding.verdict for finding in findings} == {Verdict.SKIPPED}


async def test_good_site_works() -> None:
    """A site without a fault works, and nothing has to be told to anybody but about what it leaves open."""
    async with Port() as base_url:
        one = visit(base_url=base_url)
        findings = await whole(one)

    assert conclude(findings, one).works
    assert {finding.part for finding in findings if not finding.ok} == set()


async def test_nothing_found_names_the_patient_or_the_token() -> None:
    """Findings hold counts, codes and times: no id, no word of a note, no value, no token."""
    async with Port() as base_url:
        one = visit(base_url=base_url)
        findings = await whole(one)
    said = f"{findings} {conclude(findings, one)}"

    for secret in (PATIENT_ID, SECRET, "Doe", "Cough", "151.25", "note-1", "study-1", "hr-1"):
        assert secret not in said


async def test_number_of_requests_is_bounded() -> None:
    """A doctor that has asked often enough asks no more."""
    asker = Asker(httpx.AsyncClient(transport=httpx.MockTransport(lambda _: answer({}))), SERVER, None, soon())
    for _ in range(MAX_REQUESTS):
        await asker.get(f"{SERVER}/metadata")
    reply = await asker.get(f"{SERVER}/metadata")

    assert (reply.status, asker.requests) == (0, MAX_REQUESTS)


def soon() -> Deadline:
    return Deadline.after(timedelta(minutes=1).total_seconds())


@pytest.mark.parametrize("params", [{}, {"patient": ""}, {"patient": "x", "code": " "}])
async def test_empty_parameter_is_never_sent(params: dict[str, str]) -> None:
    """Some servers ignore an empty parameter and show everybody's data."""
    with pytest.raises(ValueError, match="would match every patient"):
        await visit().asker.search("Observation", params)


@pytest.mark.parametrize(("location", "status"), [("/fhir/metadata", 200), ("/other", 302), ("/fhir/Patient/x", 302)])
async def test_redirect_is_followed_beneath_the_base_only(location: str, status: int) -> None:
    """As the service does it: a redirect may not leave the base, nor go on for ever."""
    one = visit(at("Patient", httpx.Response(302, headers={"location": location})))
    reply = await one.asker.get(f"{SERVER}/Patient/x")

    assert reply.status == status


@pytest.mark.parametrize("url", ["https://elsewhere.example.org/fhir/x", "https://ehr.example.org/other", "nonsense"])
async def test_token_goes_beneath_the_base_only(url: str) -> None:
    """An address outside the base is asked without the token, or not at all."""
    sent: list[str] = []

    def spy(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers.get("authorization", ""))
        return answer({})

    one = visit(handler=spy)
    await one.asker.get(url)

    assert set(sent) <= {""}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (Finding("", Verdict.FAILED, "broken"), [Verdict.FAILED, Verdict.FAILED]),
        ([Finding("b", Verdict.OK, "fine")], [Verdict.SKIPPED, Verdict.OK]),
        ([], [Verdict.SKIPPED, Verdict.SKIPPED]),
    ],
)
def test_no_check_is_lost(found: Finding | list[Finding], expected: list[Verdict]) -> None:
    """A check that says nothing was skipped, and one finding may stand for all."""
    assert [finding.verdict for finding in in_full(["a", "b"], found)] == expected


def test_id_that_is_none_is_refused() -> None:
    """An id that would climb up the path is never put into an address."""
    with pytest.raises(ValueError, match="no FHIR id"):
        visit(patient_id="..")


def test_visit_is_dated() -> None:
    """Date bounds count from the day of the visit."""
    assert visit().today == ASKED_AT.date()
