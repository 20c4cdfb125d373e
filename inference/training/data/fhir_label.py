"""Conditions and reports of a FHIR patient -> the diagnosis that goes with one imaging study."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from fhir_adapter.dates import read_moment, read_period
from fhir_adapter.measurements.observations import USABLE_STATUSES
from fhir_adapter.shape import Resource, as_dict, as_text, codes_of, dicts_of
from inference.training.data.codes import SYSTEM_OF_URI, CodeTable, System, Verdict
from inference.training.data.fhir_files import ExportedPatient

DIAGNOSED_WITHIN: Final = timedelta(days=7)
"""Between the film and the onset or recording of a diagnosis that is not of the same encounter."""
NO_DIAGNOSIS: Final = "no diagnosis of this illness, and no report that says nothing was found"


def judge_study(patient: ExportedPatient, study: Resource, film_at: datetime, codes: CodeTable) -> Verdict:
    """Return the diagnosis of the illness in which a study was made.

    A pneumonia is a Condition of the same encounter, or one that began within a week of the film. No pneumonia is only
    what somebody stated: a DiagnosticReport of the study with a conclusionCode that says so.
    """
    mine = [each for each in patient.resources["Condition"] if is_of_illness(each, study, film_at)]
    verdict = codes.judge(known for each in mine for known in system_codes(each.get("code")))
    if verdict.label or verdict.reason:
        return verdict
    concluded = codes.judge(conclusions(patient, study))
    return concluded if concluded.label or concluded.reason else Verdict(reason=NO_DIAGNOSIS)


def is_of_illness(condition: Resource, study: Resource, film_at: datetime) -> bool:
    """Say whether a Condition is confirmed and belongs to the illness of the study."""
    stated = {code for _, code in codes_of(condition.get("verificationStatus"))}
    if stated and "confirmed" not in stated:
        return False
    ended = read_moment(condition.get("abatementDateTime")) or read_period(condition.get("abatementPeriod"))
    if ended is not None and ended < film_at - DIAGNOSED_WITHIN:
        return False
    encounter = as_text(as_dict(study.get("encounter")).get("reference"))
    if encounter and as_text(as_dict(condition.get("encounter")).get("reference")) == encounter:
        return True
    onset = as_dict(condition.get("onsetPeriod")).get("start")
    began = (
        read_moment(condition.get("onsetDateTime")) or read_moment(onset) or read_moment(condition.get("recordedDate"))
    )
    return began is not None and abs(began - film_at) <= DIAGNOSED_WITHIN


def conclusions(patient: ExportedPatient, study: Resource) -> Iterator[tuple[System, str]]:
    """Yield the codes that final reports of a study conclude with."""
    name = f"ImagingStudy/{as_text(study.get('id'))}"
    for report in patient.resources["DiagnosticReport"]:
        studies = {as_text(each.get("reference")) for each in dicts_of(report.get("imagingStudy"))}
        if name in studies and report.get("status") in USABLE_STATUSES:
            for concept in dicts_of(report.get("conclusionCode")):
                yield from system_codes(concept)


def system_codes(concept: object) -> Iterator[tuple[System, str]]:
    """Yield the codes of a CodeableConcept in the systems of our table."""
    for uri, code in codes_of(concept):
        if uri in SYSTEM_OF_URI:
            yield SYSTEM_OF_URI[uri], code
