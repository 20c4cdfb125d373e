"""Blood gases and lactate. Blood of an artery, a vein, a capillary and of no stated vessel are different quantities."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from fhir_adapter.measurements.quantity import YEAR, Normal, Quantity

ADULT: Final = 18 * YEAR
SOON_H: Final = 12.0
"""Breathing and treatment change them within hours."""
LACTIC_ACID: Final = 90.08
"""g/mol: laboratories that report lactate by mass give that of the acid."""
_SOURCE: Final = "blood gas"

_PH: Final = Quantity("ph", "pH", ("11558-4",), "[pH]", (6.5, 8), (), SOON_H)
_PCO2: Final = Quantity("pco2", "pCO2", ("11557-6",), "mm[Hg]", (5, 250), (), SOON_H)
_PO2: Final = Quantity("po2", "pO2", ("11556-8",), "mm[Hg]", (5, 760), (), SOON_H)
# Of blood and of serum or plasma; total carbon dioxide (2028-9) holds more than bicarbonate.
_BICARBONATE: Final = Quantity(
    "bicarbonate", "Bicarbonate", ("1963-8", "1959-6"), "mmol/L", (2, 65), (), SOON_H, single_charge=True
)
_EXCESS: Final = Quantity(
    "base_excess", "Base excess", ("11555-0",), "mmol/L", (-40, 40), (), SOON_H, single_charge=True
)
_LACTATE: Final = Quantity(
    "lactate",
    "Lactate",
    ("2524-7", "32693-4", "14118-4", "59032-3"),
    "mmol/L",
    (0.1, 40),
    (Normal(0.5, 2.0, _SOURCE, ADULT),),
    SOON_H,
    molar_mass=LACTIC_ACID,
    single_charge=True,
)


def _of(
    blood: Quantity, vessel: str, codes: tuple[str, ...], low: float | None = None, high: float | None = None
) -> Quantity:
    """Return the same quantity in the blood of one kind of vessel, with the reference range of adults."""
    normal = () if low is high is None else (Normal(low, high, _SOURCE, ADULT),)
    return replace(blood, key=f"{blood.key}_{vessel}", name=f"{blood.name}, {vessel}", loinc=codes, normal=normal)


BLOOD_GAS: Final = (
    _PH,
    _of(_PH, "arterial", ("2744-1",), 7.35, 7.45),
    _of(_PH, "venous", ("2746-6",), 7.31, 7.41),
    _of(_PH, "capillary", ("2745-8",)),
    _PCO2,
    _of(_PCO2, "arterial", ("2019-8",), 35, 45),
    _of(_PCO2, "venous", ("2021-4",), 41, 51),
    _of(_PCO2, "capillary", ("2020-6",)),
    _PO2,
    _of(_PO2, "arterial", ("2703-7",), 80, 100),
    _of(_PO2, "venous", ("2705-2",), 35, 40),
    _of(_PO2, "capillary", ("2704-5",)),
    _BICARBONATE,
    _of(_BICARBONATE, "arterial", ("1960-4",), 22, 26),
    _of(_BICARBONATE, "venous", ("14627-4",), 22, 26),
    _of(_BICARBONATE, "capillary", ("1961-2",)),
    _EXCESS,
    _of(_EXCESS, "arterial", ("1925-7",), -2, 2),
    _of(_EXCESS, "venous", ("1927-3",), -2, 2),
    _of(_EXCESS, "capillary", ("1926-5",)),
    _LACTATE,
    _of(_LACTATE, "arterial", ("2518-9", "30242-2")),
    _of(_LACTATE, "venous", ("2519-7", "30241-4")),
    _of(_LACTATE, "capillary", ("19239-3",)),
)
