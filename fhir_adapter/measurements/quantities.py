"""The quantities read from a chart: LOINC codes, UCUM unit, plausible and normal range. One row each.

To add one: a row here, then a row in `inference.contract.MEASUREMENTS` if a model is to take it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

Limits = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Quantity:
    """One kind of measurement.

    Attributes:
        key: name used in arrays, logs and the simulated cohort.
        name: name a clinician reads.
        loinc: LOINC codes that mean it, the preferred one first.
        unit: UCUM unit every value is converted to.
        plausible: smallest and largest value a living patient can have; outside, the reading is refused.
        normal: reference range for ages 1 to 5.
        stale_after_h: hours after which a value no longer describes the current illness.
        molar_mass: g/mol where laboratories report both mass and amount of substance.
    """

    key: str
    name: str
    loinc: tuple[str, ...]
    unit: str
    plausible: tuple[float, float]
    normal: Limits
    stale_after_h: float = 72.0
    molar_mass: float | None = None


# Normal ranges: preschool blood counts, haemoglobin, platelets and sodium as published (preschool reference intervals
# and age tables, S23, S24, S42 of inference/training/cohort/sources.toml); heart and respiratory rate: healthy children
# of 2 to 3 years (S9, S13); SpO2: 5th percentile of healthy children, rounded (S19). CRP and procalcitonin: usual
# laboratory cut-offs.
QUANTITIES: Final = (
    Quantity(
        "temperature",
        "Temperature",
        ("8310-5", "8331-1", "8328-7", "8333-7", "8332-9", "8329-5"),
        "Cel",
        (30, 44),
        (36.0, 37.9),
        24,
    ),
    Quantity("heart_rate", "Heart rate", ("8867-4",), "/min", (30, 280), (85, 140), 24),
    Quantity("respiratory_rate", "Respiratory rate", ("9279-1",), "/min", (6, 130), (20, 37), 24),
    Quantity("spo2", "Oxygen saturation", ("59408-5", "2708-6"), "%", (40, 100), (95, None), 24),
    Quantity("wbc", "White blood cells", ("6690-2", "26464-8", "804-5"), "10*9/L", (0.2, 120), (4.8, 12.3)),
    Quantity("neutrophils", "Neutrophils", ("751-8", "26499-4", "753-4"), "10*9/L", (0.02, 100), (1.9, 7.3)),
    Quantity("lymphocytes", "Lymphocytes", ("731-0", "26474-7", "732-8"), "10*9/L", (0.02, 80), (1.7, 10.7)),
    # 64.5 kg/mol is the tetramer; laboratories that report mmol/L mean the monomer, a quarter of it.
    Quantity("haemoglobin", "Haemoglobin", ("718-7",), "g/L", (20, 250), (109, 145), molar_mass=16114.5),
    Quantity("platelets", "Platelets", ("777-3", "26515-7"), "10*9/L", (2, 2500), (179, 475)),
    Quantity("crp", "C-reactive protein", ("1988-5", "76485-2"), "mg/L", (0.01, 700), (None, 5)),
    Quantity("procalcitonin", "Procalcitonin", ("33959-8", "75241-0"), "ng/mL", (0.001, 1000), (None, 0.5)),
    Quantity("sodium", "Sodium", ("2951-2", "2947-0"), "mmol/L", (95, 190), (135, 145)),
)
QUANTITY_OF_KEY: Final = {quantity.key: quantity for quantity in QUANTITIES}
QUANTITY_OF_LOINC: Final = {code: quantity for quantity in QUANTITIES for code in quantity.loinc}
