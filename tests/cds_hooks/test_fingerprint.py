from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from cds_hooks.crypto import Vault
from cds_hooks.fingerprint import fingerprint
from cds_hooks.pipeline import Case
from fhir_adapter.auth.grant import Grant
from fhir_adapter.chart import Chart
from fhir_adapter.record import Gap, GapReason
from tests.cds_hooks.samples import ASKED_AT, PATIENT_ID, SERVER, make_observation, make_patient, make_prefetch

VAULT = Vault("s" * 40)
ONE, TWO = make_observation(1), make_observation(2)
CHART = Chart(make_patient(), observations=(ONE, TWO))
CASE = Case(PATIENT_ID, SERVER, Grant(SecretStr("t")), CHART, make_prefetch(), ASKED_AT)


def of(case: Case, model: str = "m", vault: Vault = VAULT) -> str:
    """Return the fingerprint."""
    return fingerprint(case, model, vault)


@pytest.mark.parametrize(
    "changes",
    [
        {"chart": dataclasses.replace(CHART, observations=(TWO, ONE))},
        {"chart": dataclasses.replace(CHART, patient=dict(reversed(list(make_patient().items()))))},
        {"grant": Grant(SecretStr("another"))},
        {"grant": Grant(SecretStr("t"), scope="patient/*.rs openid")},
        {"grant": Grant(SecretStr("t"), scope="a vendor's own words")},
        {"grant": None, "own_access": True},
        {"asked_at": ASKED_AT + timedelta(minutes=5)},
        {"prefetch": None},
    ],
)
def test_same_data_are_the_same_question(changes: dict[str, Any]) -> None:
    """The order of a server's answers, a new token or a later minute do not make another question."""
    assert of(dataclasses.replace(CASE, **changes)) == of(CASE)


@pytest.mark.parametrize(
    "changes",
    [
        {"patient_id": "other"},
        {"fhir_server": "https://other.example/fhir"},
        {"fhir_server": None},
        {"chart": dataclasses.replace(CHART, observations=(ONE,))},
        {"chart": dataclasses.replace(CHART, observations=(ONE, make_observation(2, meta={"versionId": "2"})))},
        {"chart": dataclasses.replace(CHART, observations=(ONE, make_observation(2, valueQuantity={"value": 97})))},
        {"chart": dataclasses.replace(CHART, gaps=(Gap("text", "notes", GapReason.REFUSED),))},
        {"chart": dataclasses.replace(CHART, observations=(ONE,), documents=(TWO,))},
        {"chart": None},
        {"grant": None},
        {"grant": Grant(SecretStr("t"), scope="patient/Patient.rs patient/Observation.rs")},
        {"grant": Grant(SecretStr("t"), scope="patient/DocumentReference.rs")},
    ],
)
def test_other_data_are_another_question(changes: dict[str, Any]) -> None:
    """Another patient, server, version, value, gap or reach is another question, also under the same version number."""
    expected_same = changes == {"chart": dataclasses.replace(CHART, observations=(ONE,), documents=(TWO,))}

    assert (of(dataclasses.replace(CASE, **changes)) == of(CASE)) is expected_same


def test_token_counts_where_no_chart_has_shown_what_it_opens() -> None:
    """While a server is too slow a token that was never tried does not join the case of another one."""
    slow = dataclasses.replace(CASE, chart=None)
    forged = dataclasses.replace(slow, grant=Grant(SecretStr("forged")))

    assert of(slow) == of(dataclasses.replace(slow, asked_at=ASKED_AT + timedelta(minutes=5)))
    assert len({of(slow), of(forged), of(dataclasses.replace(slow, grant=None))}) == 3


def test_other_program_is_another_question(monkeypatch: pytest.MonkeyPatch) -> None:
    """A result is not reused by another version: it may read the same resources otherwise."""
    before = of(CASE)
    monkeypatch.setattr("cds_hooks.fingerprint.program_version", lambda: "another")

    assert of(CASE) != before


def test_other_model_is_another_question() -> None:
    """A result of another model is never reused."""
    assert of(CASE, "m") != of(CASE, "n")


def test_fingerprint_cannot_be_recomputed_without_the_key() -> None:
    """Who reads the table cannot test a guess of a chart against it."""
    assert of(CASE) != of(CASE, vault=Vault("t" * 40))


def test_uncollected_case_is_known_by_what_was_sent() -> None:
    """Where the chart is left to the worker, what was prefetched tells two cases apart."""
    left = dataclasses.replace(CASE, chart=None)

    assert of(left) != of(dataclasses.replace(left, prefetch=make_prefetch(labs=None)))
