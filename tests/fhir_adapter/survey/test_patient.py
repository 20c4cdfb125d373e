from __future__ import annotations

import httpx
import pytest

from fhir_adapter.survey.findings import Verdict
from fhir_adapter.survey.patient import check_patient, choose_patient
from tests.fhir_adapter.builders import ARCHIVE, PATIENT_ID, answer, observation, patient
from tests.fhir_adapter.survey.sites import OTHER, Fault, at, bundle, findings_of, visit


async def test_record_is_read_from_end_to_end() -> None:
    """A record that is whole is described by counts, codes and times."""
    found = await findings_of(check_patient)

    assert {finding.verdict for finding in found.values()} == {Verdict.OK}


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("patient/read", "with birth date and sex; versions are kept"),
        ("patient/chart", "2 Observation, 1 DocumentReference, 1 ImagingStudy, 1 Endpoint"),
        ("patient/measurements", "2 numbers of 1 quantities: heart_rate 2, newest 2026-11-24 09:00Z"),
        ("patient/notes", "1 of 19 characters, newest 2026-11-24 09:00Z; documents on file: 1 text/plain"),
        ("patient/film", "CR AP, 64 x 64"),
        ("patient/gaps", "nothing is missing"),
    ],
)
async def test_part_of_a_record_is_described(part: str, said: str) -> None:
    """Each part says how much there is and from when."""
    assert said in (await findings_of(check_patient))[part].sentence


@pytest.mark.parametrize(
    ("fault", "part", "verdict", "said"),
    [
        (at("Patient", answer({}, 404)), "patient/read", Verdict.MISSING, "HTTP 404"),
        (at("Patient", answer({}, 403)), "patient/read", Verdict.FAILED, "HTTP 403"),
        (at("Patient", answer(patient(id="other"))), "patient/read", Verdict.FAILED, "DANGER"),
        (at("Patient", answer({}, 403)), "patient/chart", Verdict.SKIPPED, "was not read"),
        (at("Observation", bundle(observation(subject=OTHER))), "patient/gaps", Verdict.WARN, "somebody else"),
        (at("Observation", bundle()), "patient/measurements", Verdict.WARN, "none"),
        (at("DocumentReference", bundle()), "patient/notes", Verdict.WARN, "documents on file: none"),
        (at("studies", answer({}, 500)), "patient/film", Verdict.WARN, "radiograph: the server failed; 1 candidate"),
        (at("studies", answer({}, 500)), "patient/gaps", Verdict.WARN, "a card would say: radiograph"),
    ],
)
async def test_what_is_missing_is_said(fault: Fault, part: str, verdict: Verdict, said: str) -> None:
    """A part that cannot be had says why, and those that need it are skipped."""
    finding = (await findings_of(check_patient, fault))[part]

    assert finding.verdict is verdict
    assert said in finding.sentence


async def test_nobodys_record_is_read_without_being_told() -> None:
    """Without a patient nothing of anybody is asked for."""
    asked: list[str] = []

    def spy(request: httpx.Request) -> None:
        asked.append(request.url.path)

    found = await findings_of(check_patient, spy, patient_id="")

    assert asked == []
    assert {finding.verdict for finding in found.values()} == {Verdict.SKIPPED}


@pytest.mark.parametrize("faults", [(), (at("ImagingStudy", answer({}, 404)),), (at("Study", bundle()),)])
async def test_somebody_is_taken_where_that_is_allowed(faults: tuple[Fault, ...]) -> None:
    """`--any-patient` takes whoever has a study, a note or a result."""
    one = visit(*faults, patient_id="", any_patient=True)
    finding = await choose_patient(one)

    assert one.patient_id == PATIENT_ID
    assert PATIENT_ID not in finding.sentence


@pytest.mark.parametrize(
    "fault", [at("", bundle()), at("", answer({}, 403)), at("", bundle(observation(subject={"reference": "x/../.."})))]
)
async def test_nobody_is_taken_where_none_can_be_found(fault: Fault) -> None:
    """A server without a patient to be found leaves the choice to the operator."""
    one = visit(fault, patient_id="", any_patient=True)
    finding = await choose_patient(one)

    assert (one.patient_id, finding.verdict) == ("", Verdict.WARN)


async def test_token_stays_with_the_fhir_server() -> None:
    """Reading a film from another origin sends no token there."""
    sent: list[str] = []

    def spy(request: httpx.Request) -> None:
        if str(request.url).startswith(ARCHIVE):
            sent.append(request.headers.get("authorization", ""))

    await findings_of(check_patient, spy)

    assert set(sent) == {""}
