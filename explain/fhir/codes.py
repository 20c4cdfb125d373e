"""The systems, codes, profiles and extensions that the resources name; those of our own are described here.

`LOCAL` is a code system of this project, given as a URN because nobody but us resolves it. Its codes:

assessment                the question: bacterial pneumonia, viral pneumonia, or neither (RiskAssessment.code)
m-llm                     the method (RiskAssessment.method)
explanation               the report of one explanation (DiagnosticReport.code)
contributions             what each input did to the probability of the answer (Observation.code), with components
  baseline                the probability with no input at all, per cent
  share-MODALITY          exact Shapley value of the film, the note, the structured values; points of per cent
  group-GROUP             exact Shapley value of a clinical group of measurements; points of per cent
  effect-MEASUREMENT      attention times its gradient, log-odds; only until the exact contributions are there
  zone-NAME               how far the probability falls when this part of the film is covered; points of per cent
  words                   how far it falls when a marked span of the note is taken away; points of per cent
fidelity                  whether the marked evidence matters more than random evidence (Observation.code), with
  comprehensiveness-MODALITY, random-comprehensiveness-MODALITY
                          fall of the probability without the marked part, and without random parts; points of per cent
  sufficiency-MODALITY, random-sufficiency-MODALITY
                          fall with the marked part alone, and with random parts alone; points of per cent
  beaten-MODALITY         how many of the random maps the shown one beats, of how many
  holds-MODALITY          whether it beats chance; marks that do not are withdrawn
  residual                by how much the contributions of the groups fail to add up, points of per cent
MODALITY is `image`, `text` or `structured`; MEASUREMENT and GROUP are the keys of `inference.contract.MEASUREMENTS` and
`explain.tested.GroupShare`.

The extensions of our own:

prediction-set-coverage   decimal on RiskAssessment: share of cases whose true diagnosis lies in the prediction set
in-prediction-set         boolean on RiskAssessment.prediction: whether this diagnosis cannot be excluded
evidence                  Reference on Observation.component: the resource, with its version, that was read
"""

from __future__ import annotations

from typing import Any, Final

Json = dict[str, Any]

SNOMED: Final = "http://snomed.info/sct"
UCUM: Final = "http://unitsofmeasure.org"
LOCAL: Final = "urn:x-mllm-cds:explanation"
MODEL_DIGEST: Final = "urn:x-mllm-cds:model-digest"
SEAL: Final = "urn:x-mllm-cds:checkpoint-seal"
URI: Final = "urn:ietf:rfc:3986"
"""Identifier.system of values that are URIs themselves."""

TRANSPARENCY: Final = "http://hl7.org/fhir/uv/aitransparency"
DEVICE_TYPES: Final = f"{TRANSPARENCY}/CodeSystem/AIdeviceTypeCS"
AI_INPUTS: Final = f"{TRANSPARENCY}/CodeSystem/AIinputsCS"
AI_DEVICE: Final = f"{TRANSPARENCY}/StructureDefinition/AI-Device"
AI_MODEL_CARD: Final = f"{TRANSPARENCY}/StructureDefinition/AI-ModelCard"
AI_PROVENANCE: Final = f"{TRANSPARENCY}/StructureDefinition/AI-Provenance"
AI_KIND: Final = f"{TRANSPARENCY}/StructureDefinition/aitransparency.AIKind"
MODEL_CARD_DESCRIPTION: Final = f"{TRANSPARENCY}/StructureDefinition/aitransparency.modelCardDescription"
AI_CONFIDENCE: Final = f"{TRANSPARENCY}/StructureDefinition/AIconfidence"

AIAST: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "AIAST",
    "display": "Artificial Intelligence asserted",
}
"""The label of what an artificial intelligence asserts and no human has confirmed."""
TEST_DATA: Final = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}
PARTICIPANTS: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
OPERATIONS: Final = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
REPORT_RISK: Final = "http://hl7.org/fhir/StructureDefinition/diagnosticReport-risk"

COVERAGE: Final = "urn:x-mllm-cds:prediction-set-coverage"
IN_SET: Final = "urn:x-mllm-cds:in-prediction-set"
EVIDENCE: Final = "urn:x-mllm-cds:evidence"


def local(code: str, text: str) -> Json:
    """Return a CodeableConcept of `LOCAL`, with the words that a reader sees."""
    return {**concept(LOCAL, code), "text": text}


def concept(system: str, code: str) -> Json:
    """Return a CodeableConcept of one code and nothing else, as some profiles fix it."""
    return {"coding": [{"system": system, "code": code}]}


def points(probability: float) -> Json:
    """Return a probability, or a change of one, -1..1, as a Quantity in per cent."""
    return {"value": round(100.0 * probability, 4), "unit": "%", "system": UCUM, "code": "%"}
