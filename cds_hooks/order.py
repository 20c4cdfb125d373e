"""What would help most -> a draft request for it; nothing is ordered unless a clinician accepts and signs that.

Only what has a code is asked for: a measurement by the preferred LOINC code of its quantity, a radiograph by the SNOMED
CT concept "Plain X-ray of chest (procedure)", which leaves projection and position to the site's own protocol. A plain
dict, as the web process has no time to import `fhir.resources`; a test holds it against FHIR R4B.
"""

from __future__ import annotations

from typing import Any, Final

from explain.tested import Help
from explain.wording import inside
from fhir_adapter.measurements.quantities import QUANTITY_OF_KEY

RADIOGRAPH: Final = ("http://snomed.info/sct", "399208008", "Plain chest X-ray")
LOINC: Final = "http://loinc.org"


def draft_order(wanted: Help, patient_id: str) -> dict[str, Any] | None:
    """Return a ServiceRequest (status draft, intent proposal), or None for what cannot be ordered, as a note.

    Args:
        wanted: the absent input.
        patient_id: FHIR id of the subject.
    """
    if wanted.key == "image":
        system, code, name = RADIOGRAPH
    elif quantity := QUANTITY_OF_KEY.get(wanted.key):
        system, code, name = LOINC, quantity.loinc[0], quantity.name
    else:
        return None
    return {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "proposal",
        "code": {"coding": [{"system": system, "code": code}], "text": name},
        "subject": {"reference": f"Patient/{patient_id}"},
    }


def name_of_order(order: dict[str, Any]) -> str:
    """Return what is asked for, as it reads inside a sentence."""
    return inside(str(order["code"]["text"]))
