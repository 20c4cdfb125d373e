"""Explanation -> DiagnosticReport: its sentences, its Observations, and the printed page on request."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from fhir.resources.R4B.diagnosticreport import DiagnosticReport

from explain.fhir.citing import cite, inputs
from explain.fhir.codes import AI_CONFIDENCE, REPORT_RISK, URI, Json, local
from explain.fhir.subject import Told, within
from explain.fhir.valid import checked


def diagnostic_report(told: Told, results: Sequence[Json], pdf: bytes | None) -> Json:
    """Return the report that joins the other resources.

    There is no `conclusionCode`: it would be found by searches for patients who have the disease, and nobody has said
    that this one has. The probability of each diagnosis is in the RiskAssessment.
    """
    sentences = told.sentences
    resource = {
        **told.asserted("DiagnosticReport", "DiagnosticReport", sentences),
        "extension": [
            {"url": REPORT_RISK, "valueReference": told.reference("RiskAssessment")},
            *([_confidence(told)] if told.assessed else []),
        ],
        "identifier": [{"system": URI, "value": f"{told.job.urn}#report"}],
        "status": told.status,
        "code": local(
            "explanation", "Explanation of a model’s assessment: bacterial pneumonia, viral pneumonia, neither"
        ),
        "effectiveDateTime": told.at,
        "issued": told.at,
        "result": [within(one["id"]) for one in results],
        "imagingStudy": [cite(source) for source in inputs(told.explanation) if source.startswith("ImagingStudy/")],
        "conclusion": " ".join(sentences),
        "presentedForm": [] if pdf is None else [_printed(told, pdf)],
    }
    return checked(DiagnosticReport, resource)


def _confidence(told: Told) -> Json:
    return {"url": AI_CONFIDENCE, "valueDecimal": round(told.prediction.top.probability, 6)}


def _printed(told: Told, pdf: bytes) -> Json:
    return {
        "contentType": "application/pdf",
        "language": "en",
        "data": base64.b64encode(pdf).decode(),
        "size": len(pdf),
        "title": "Explanation, one page",
        "creation": told.at,
    }
