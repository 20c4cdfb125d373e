"""Heading or LOINC code of a section -> what the section is about. English only; knows no patient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fhir_adapter.record import SectionKind

_HEADINGS: Final[Mapping[SectionKind, str]] = {
    "complaint": "cc|chief complaint|chief complaints|chief complaint and reason for visit|presenting complaint|"
    "presenting complaints|presenting problem|presenting symptoms|pc|reason for visit|"
    "reason for admission|"
    "reason for consultation|reason for referral|reason for encounter|reason for attendance|presentation|complaint|"
    "complaints|triage|triage note|indication|clinical indication|clinical information",
    "illness": "hpi|hpc|hopi|history|hx|history of present illness|history of the present illness|"
    "history of presenting illness|history of presenting complaint|history of presenting problem|"
    "present illness|current illness|clinical history|interval history|interval events|subjective|s|ros|"
    "review of systems|symptoms",
    "examination": "examination|exam|physical examination|physical exam|pe|o/e|oe|on examination|objective|o|"
    "clinical examination|clinical exam|examination findings|physical findings|vitals|vital signs|observations|obs|"
    "general appearance|general examination|general|chest|respiratory|resp|respiratory system|lungs|cvs|"
    "cardiovascular|heart|abdomen|abdo|ent|heent|neuro|neurological|skin",
    "results": "investigations|results|labs|laboratory|laboratory results|laboratory data|lab results|bloods|"
    "blood tests|imaging|radiology|chest x-ray|"
    "chest xray|chest radiograph|cxr|x-ray|studies|diagnostics|diagnostic studies|data|"
    "findings|comparison|technique|ecg",
    "assessment": "assessment|impression|impressions|clinical impression|diagnosis|diagnoses|a|a/p|a&p|ap|"
    "assessment and plan|assessment & plan|assessment/plan|impression and plan|working diagnosis|differential|"
    "differential diagnosis|ddx|dx|admission diagnosis|discharge diagnosis|final diagnosis|conclusion|conclusions|"
    "opinion|summary|medical decision making|mdm|hospital course|ed course|course|progress|formulation",
    "past": "pmh|pmhx|past medical history|past history|past medical and surgical history|medical history|"
    "past surgical history|surgical history|psh|birth history|perinatal history|neonatal history|developmental history|"
    "development|growth and development|immunisations|immunizations|immunisation history|immunization history|"
    "vaccinations|vaccination history|allergies|allergy|problem list|problems|past illnesses|background|"
    "background history",
    "medication": "medication|medications|meds|current medication|current medications|current meds|home medications|"
    "home meds|medications on admission|discharge medications|drugs|drug history|dh|dhx|medication list|"
    "medications administered",
    "plan": "plan|p|plan of care|care plan|treatment plan|treatment|management|management plan|recommendation|"
    "recommendations|disposition|follow up|follow-up|followup|discharge instructions|discharge plan|instructions|"
    "advice|safety netting",
    "social": "social history|social|sh|shx|family history|family|fh|fhx|family and social history|travel history|"
    "psychosocial history|living situation",
}
_KINDS: Final = {heading: kind for kind, headings in _HEADINGS.items() for heading in headings.split("|")}
LONGEST: Final = max(map(len, _KINDS))

_LOINC: Final[Mapping[str, SectionKind]] = {
    "10154-3": "complaint", "46239-0": "complaint", "29299-5": "complaint", "42349-1": "complaint",
    "10164-2": "illness", "61150-9": "illness", "10187-3": "illness",
    "29545-1": "examination", "10210-3": "examination", "8716-3": "examination", "61149-1": "examination",
    "30954-2": "results", "18748-4": "results", "18726-0": "results",
    "51848-0": "assessment", "51847-2": "assessment", "29548-5": "assessment", "46241-6": "assessment",
    "11535-2": "assessment", "8648-8": "assessment", "42347-5": "assessment",
    "11348-0": "past", "11450-4": "past", "48765-2": "past", "11369-6": "past", "47519-4": "past",
    "10160-0": "medication", "10183-2": "medication", "29549-3": "medication", "42346-7": "medication",
    "18776-5": "plan", "69730-0": "plan", "8653-8": "plan", "18783-1": "plan",
    "29762-2": "social", "10157-6": "social",
}  # fmt: skip
"""Section codes of C-CDA R2.1 (HL7 CDA R2 Implementation Guide: Consolidated CDA Templates, section level)."""


def kind_of_heading(words: str) -> SectionKind | None:
    """Return what a heading announces, or None for words that are none we know; case and marks do not count."""
    return _KINDS.get(" ".join(words.lower().strip(" \t*_#=-:.").split()))


def kind_of_loinc(code: str) -> SectionKind | None:
    """Return what a section with this LOINC code is about, or None for a code that is not in the table."""
    return _LOINC.get(code)
