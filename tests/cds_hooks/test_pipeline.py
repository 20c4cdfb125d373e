from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import SecretStr

from cds_hooks.pipeline import Case
from fhir_adapter.auth.grant import Grant
from fhir_adapter.chart import Chart
from fhir_adapter.record import Gap, GapReason
from tests.cds_hooks.samples import ASKED_AT, PATIENT_ID, SERVER, TOKEN, make_observation, make_patient, make_prefetch

GRANT = Grant(SecretStr(TOKEN), ASKED_AT + timedelta(seconds=300), "patient/*.rs", PATIENT_ID)
CHART = Chart(make_patient(), observations=(make_observation(),), gaps=(Gap("text", "notes", GapReason.MISSING),))


@pytest.mark.parametrize(
    "case",
    [
        Case(PATIENT_ID, SERVER, GRANT, CHART, None, ASKED_AT),
        Case(PATIENT_ID, SERVER, None, None, make_prefetch(), ASKED_AT),
        Case(PATIENT_ID, SERVER, Grant(SecretStr(TOKEN)), None, None, ASKED_AT),
        Case(PATIENT_ID, None, None, CHART, None, ASKED_AT),
        Case(PATIENT_ID, SERVER, None, CHART, None, ASKED_AT, own_access=True),
        Case(PATIENT_ID, SERVER, None, None, None, ASKED_AT),
    ],
)
def test_case_reaches_the_worker_unchanged(case: Case) -> None:
    """What the worker reads is what the hook found, token and time zone included."""
    assert Case.from_json(case.to_json()) == case


def test_prefetch_is_not_kept_twice() -> None:
    """With a collected chart the prefetch is not stored beside it."""
    case = Case(PATIENT_ID, None, None, CHART, make_prefetch(), ASKED_AT)

    assert Case.from_json(case.to_json()).prefetch is None


def test_token_does_not_print() -> None:
    """A case shows no token when it is printed."""
    assert TOKEN not in repr(Case(PATIENT_ID, SERVER, GRANT, None, None, ASKED_AT))
