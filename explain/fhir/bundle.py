"""Explanation -> one transaction Bundle that may be sent as often as one likes."""

from __future__ import annotations

from fhir.resources.R4B.bundle import Bundle

from explain.fhir.assessment import risk_assessment
from explain.fhir.codes import Json
from explain.fhir.contributions import contributions
from explain.fhir.device import device, model_card
from explain.fhir.fidelity import fidelity
from explain.fhir.provenance import provenance
from explain.fhir.report import diagnostic_report
from explain.fhir.subject import Told
from explain.fhir.valid import checked


def transaction(told: Told, pdf: bytes | None = None) -> Json:
    """Return the Bundle of one explanation.

    Every entry is a PUT under an id that follows from the job (of the model's own resources: from the checkpoint), so
    that sending it again makes no new version, and sending it after the second tier updates what the first one left.
    The server must allow clients to choose ids (R4 "Update as Create"; HAPI does).

    Args:
        told: the explanation and where it comes from.
        pdf: the printed page, to be carried by the DiagnosticReport; None leaves it out.

    Raises:
        explain.fhir.citing.PatientUnknownError: no source names the patient.
    """
    results = _results(told)
    outputs = [risk_assessment(told), *results, diagnostic_report(told, results, pdf)]
    resources = [device(told), model_card(told), *outputs, provenance(told, outputs)]
    return checked(Bundle, {"resourceType": "Bundle", "type": "transaction", "entry": [_put(one) for one in resources]})


def _results(told: Told) -> list[Json]:
    if not told.assessed:
        return []
    tested = told.explanation.tested
    return [contributions(told), *([] if tested is None else [fidelity(told, tested)])]


def _put(resource: Json) -> Json:
    where = f"{resource['resourceType']}/{resource['id']}"
    return {
        "fullUrl": f"urn:uuid:{resource['id']}",
        "resource": resource,
        "request": {"method": "PUT", "url": where},
    }
