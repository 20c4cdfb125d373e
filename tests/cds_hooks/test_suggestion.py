from __future__ import annotations

from typing import Any

import pytest
from fhir.resources.R4B.condition import Condition

from cds_hooks.suggestion import SNOMED, draft_condition
from explain.evidence import Claim
from inference.prediction import Prediction
from tests.cds_hooks.samples import ASKED_AT, PATIENT_ID, make_explanation, make_prediction, out_of_scope, unsure


def test_draft_is_a_valid_provisional_condition() -> None:
    """The draft is a FHIR Condition of the patient, provisional, coded in SNOMED CT, dated when it was asked."""
    condition: Any = Condition.model_validate(
        draft_condition(make_prediction(), make_explanation(), PATIENT_ID, ASKED_AT)
    )

    assert condition.verificationStatus.coding[0].code == "provisional"
    assert (condition.code.coding[0].system, condition.code.coding[0].code) == (SNOMED, "53084003")
    assert (condition.subject.reference, condition.recordedDate) == (f"Patient/{PATIENT_ID}", ASKED_AT)


def test_draft_cites_what_speaks_for_it() -> None:
    """Evidence for the answer is cited once each, without version and without the patient; the rest is not."""
    claims = (
        Claim("a", "for", "structured", ("Observation/1/_history/3", "Patient/p/_history/1")),
        Claim("b", "for", "text", ("Observation/1/_history/3", "DocumentReference/2/_history/1")),
        Claim("c", "against", "text", ("DocumentReference/3/_history/1",)),
    )
    draft = draft_condition(make_prediction(), make_explanation(claims=claims), PATIENT_ID, ASKED_AT)

    assert draft is not None
    assert [detail["reference"] for detail in draft["evidence"][0]["detail"]] == [
        "Observation/1",
        "DocumentReference/2",
    ]


@pytest.mark.parametrize(
    "prediction", [unsure(), out_of_scope(), make_prediction((0.9, 0.05, 0.05), prediction_set=("normal",))]
)
def test_only_a_diagnosis_is_suggested(prediction: Prediction) -> None:
    """Where the model is unsure, does not judge, or finds nothing, there is nothing to record."""
    assert draft_condition(prediction, make_explanation(), PATIENT_ID, ASKED_AT) is None
