"""Prediction -> a draft Condition that a clinician may accept; nothing is ever recorded without that.

`fhir.resources` builds it, and takes half a second to import: only the worker imports this module.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from fhir.resources.R4B.condition import Condition

from explain.evidence import Explanation
from inference.prediction import Prediction, Verdict

SNOMED: Final = "http://snomed.info/sct"
CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION: Final = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/condition-category"


def draft_condition(
    prediction: Prediction, explanation: Explanation, patient_id: str, asked_at: datetime
) -> dict[str, Any] | None:
    """Return a provisional Condition (FHIR R4B, valid R4), or None where there is no diagnosis to record.

    Args:
        prediction: only an answer with a SNOMED CT code leads to a suggestion.
        explanation: the resources that speak for the answer become `evidence`.
        patient_id: FHIR id of the subject.
        asked_at: moment of the hook; becomes `recordedDate`.
    """
    if prediction.verdict is not Verdict.ANSWER or not prediction.top.diagnosis.snomed:
        return None
    diagnosis = prediction.top.diagnosis
    condition: dict[str, Any] = {
        "resourceType": "Condition",
        "clinicalStatus": {"coding": [{"system": CLINICAL, "code": "active"}]},
        "verificationStatus": {"coding": [{"system": VERIFICATION, "code": "provisional"}]},
        "category": [{"coding": [{"system": CATEGORY, "code": "encounter-diagnosis"}]}],
        "code": {
            "coding": [{"system": SNOMED, "code": diagnosis.snomed, "display": diagnosis.name}],
            "text": diagnosis.name,
        },
        "subject": {"reference": f"Patient/{patient_id}"},
        "recordedDate": asked_at.isoformat(timespec="seconds"),
        "note": [{"text": f"Suggested by {prediction.checkpoint} (mllm-cds) and accepted by a clinician."}],
    }
    if references := _supporting(explanation):
        condition["evidence"] = [{"detail": [{"reference": reference} for reference in references]}]
    # Building it is the check: an invalid draft raises here, in the worker, and not in an EHR.
    valid: dict[str, Any] = Condition.model_validate(condition).model_dump(mode="json", exclude_none=True)
    return valid


def _supporting(explanation: Explanation) -> tuple[str, ...]:
    """Return the references that speak for the answer, each once; without version, as a create may not name one."""
    cited: Iterable[str] = (
        source
        for claim in explanation.claims
        if claim.direction == "for"
        for source in claim.sources
        if not source.startswith("Patient/")  # age and sex: the subject is no evidence for itself
    )
    return tuple(dict.fromkeys(source.partition("/_history/")[0] for source in cited))
