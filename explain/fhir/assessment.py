"""Prediction -> RiskAssessment: each diagnosis with its probability, and what the answer stands on."""

from __future__ import annotations

from fhir.resources.R4B.riskassessment import RiskAssessment

from explain import wording
from explain.fhir.citing import cite, inputs
from explain.fhir.codes import COVERAGE, IN_SET, SNOMED, URI, Json, local
from explain.fhir.markdown import escaped
from explain.fhir.subject import Told
from explain.fhir.valid import checked
from inference.contract import Diagnosis
from inference.prediction import Likelihood


def risk_assessment(told: Told) -> Json:
    """Return the RiskAssessment; out of scope it is cancelled, with the reasons and without any prediction."""
    sentences = (_headline(told), *told.sentences)
    resource = {
        **told.asserted("RiskAssessment", "RiskAssessment", sentences),
        "identifier": [{"system": URI, "value": told.job.urn}],
        "status": told.status,
        "method": local("m-llm", f"M-LLM, checkpoint {told.prediction.checkpoint}"),
        "code": local("assessment", "Bacterial pneumonia, viral pneumonia or neither"),
        "occurrenceDateTime": told.at,
        "performer": told.device,
        "basis": [cite(source) for source in inputs(told.explanation)],
        "note": [{"text": escaped(text)} for text in sentences],
    }
    if told.assessed:
        resource["extension"] = [{"url": COVERAGE, "valueDecimal": told.prediction.coverage}]
        resource["prediction"] = [_prediction(told, one) for one in told.prediction.likelihoods]
    return checked(RiskAssessment, resource)


def _headline(told: Told) -> str:
    prediction = told.prediction
    if not told.assessed:
        return f"Not assessed. {' '.join(prediction.reasons)}".strip()
    kept = [one.diagnosis.name for one in prediction.likelihoods if one.diagnosis.key in prediction.prediction_set] or [
        "none"
    ]
    verdict = " ".join([f"Verdict: {prediction.verdict.value}.", *prediction.reasons])
    return f"{verdict} Prediction set at {wording.percent(prediction.coverage)} coverage: {wording.listed(kept)}."


def _prediction(told: Told, one: Likelihood) -> Json:
    kept = one.diagnosis.key in told.prediction.prediction_set
    return {
        "extension": [{"url": IN_SET, "valueBoolean": kept}],
        "outcome": outcome(one.diagnosis),
        # R4 leaves the scale open up to 100; its own examples, and the IG's AIconfidence, are of 0 to 1.
        "probabilityDecimal": round(one.probability, 6),
    }


def outcome(diagnosis: Diagnosis) -> Json:
    """Return a diagnosis as a CodeableConcept; the label that is the absence of the others has words only."""
    coding = [{"system": SNOMED, "code": diagnosis.snomed, "display": diagnosis.name}] if diagnosis.snomed else []
    return {**({"coding": coding} if coding else {}), "text": diagnosis.name}
