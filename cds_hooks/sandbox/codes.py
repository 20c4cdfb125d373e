"""LOINC codes and printed units of the sample charts.

Kept apart from `fhir_adapter.measurements.quantities` on purpose: a shared table would hide a wrong code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

LOINC: Final = "http://loinc.org"
UCUM: Final = "http://unitsofmeasure.org"
CATEGORY_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/observation-category"

Category = Literal["vital-signs", "laboratory"]


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of observation: LOINC codes with their long common names, and the FHIR category it is filed under."""

    category: Category
    name: str
    loinc: tuple[tuple[str, str], ...]


CODES: Final = {
    "temperature": Code("vital-signs", "Temperature", (("8310-5", "Body temperature"),)),
    "heart_rate": Code("vital-signs", "Heart rate", (("8867-4", "Heart rate"),)),
    "respiratory_rate": Code("vital-signs", "Respiratory rate", (("9279-1", "Respiratory rate"),)),
    # FHIR R4 vital signs: 2708-6 is required, 59408-5 says how it was measured.
    "spo2": Code(
        "vital-signs",
        "Oxygen saturation",
        (
            ("2708-6", "Oxygen saturation in Arterial blood"),
            ("59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry"),
        ),
    ),
    "weight": Code("vital-signs", "Weight", (("29463-7", "Body weight"),)),
    "blood_pressure": Code(
        "vital-signs", "Blood pressure", (("85354-9", "Blood pressure panel with all children optional"),)
    ),
    "systolic": Code("vital-signs", "Systolic pressure", (("8480-6", "Systolic blood pressure"),)),
    "diastolic": Code("vital-signs", "Diastolic pressure", (("8462-4", "Diastolic blood pressure"),)),
    "blood_count": Code("laboratory", "Blood count", (("58410-2", "CBC panel - Blood by Automated count"),)),
    "wbc": Code("laboratory", "White blood cells", (("6690-2", "Leukocytes [#/volume] in Blood by Automated count"),)),
    "neutrophils": Code(
        "laboratory", "Neutrophils", (("751-8", "Neutrophils [#/volume] in Blood by Automated count"),)
    ),
    "lymphocytes": Code(
        "laboratory", "Lymphocytes", (("731-0", "Lymphocytes [#/volume] in Blood by Automated count"),)
    ),
    "haemoglobin": Code("laboratory", "Haemoglobin", (("718-7", "Hemoglobin [Mass/volume] in Blood"),)),
    "platelets": Code("laboratory", "Platelets", (("777-3", "Platelets [#/volume] in Blood by Automated count"),)),
    "crp": Code(
        "laboratory", "C-reactive protein", (("1988-5", "C reactive protein [Mass/volume] in Serum or Plasma"),)
    ),
    "procalcitonin": Code(
        "laboratory", "Procalcitonin", (("33959-8", "Procalcitonin [Mass/volume] in Serum or Plasma"),)
    ),
    "sodium": Code("laboratory", "Sodium", (("2951-2", "Sodium [Moles/volume] in Serum or Plasma"),)),
}

PRINTED_UNIT: Final = {"Cel": "°C", "10*9/L": "10⁹/L", "/uL": "/µL", "mm[Hg]": "mmHg"}
"""UCUM code to what a person writes; a unit that is not here is written as its code."""
