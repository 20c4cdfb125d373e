"""Blood chemistry: salts, kidney, sugar, liver. Of serum, plasma or whole blood; other fluids have other codes."""

from __future__ import annotations

from typing import Final

from fhir_adapter.measurements.quantity import YEAR, Normal, Quantity

ADULT: Final = 18 * YEAR
GLUCOSE: Final = 180.156
"""g/mol."""

CHEMISTRY: Final = (
    Quantity(
        "sodium",
        "Sodium",
        ("2951-2", "2947-0"),
        "mmol/L",
        (95, 190),
        (
            Normal(133, 146, "Harmony", 0, YEAR),
            Normal(135, 145, "preschool", YEAR, 6 * YEAR),
            Normal(133, 146, "Harmony", 6 * YEAR),
        ),
        single_charge=True,
    ),
    Quantity(
        "potassium",
        "Potassium",
        ("2823-3", "6298-4"),
        "mmol/L",
        (1, 12),
        (
            Normal(3.5, 6.0, "Whipps Cross", 1, YEAR),
            Normal(3.3, 5.5, "Whipps Cross", YEAR, 16 * YEAR),
            Normal(3.5, 5.3, "CH LAB", 20 * YEAR),
        ),
        single_charge=True,
    ),
    Quantity(
        "creatinine",
        "Creatinine",
        ("14682-9", "2160-0", "59826-8", "38483-4"),
        "umol/L",
        (3, 3000),
        (Normal(15, 55, "Whipps Cross", 1, YEAR), Normal(25, 60, "Whipps Cross", YEAR, 16 * YEAR)),
        molar_mass=113.12,
    ),
    # Urea and the nitrogen in it differ by a factor of 2.14 and have codes of their own, so each has a row. Moles of
    # urea nitrogen (14937-7) are left out: some mean moles of urea by them, some of nitrogen, which are twice as many.
    Quantity(
        "urea",
        "Urea",
        ("22664-7", "3091-6"),
        "mmol/L",
        (0.2, 120),
        (
            Normal(0.8, 5.5, "Exeter", 0, 1),
            Normal(1.0, 5.5, "Exeter", 1, YEAR),
            Normal(2.5, 6.5, "Exeter", YEAR, 17 * YEAR),
            Normal(2.5, 7.8, "Exeter", 17 * YEAR),
        ),
        molar_mass=60.056,
    ),
    Quantity("urea_nitrogen", "Urea nitrogen", ("3094-0", "6299-2"), "mg/dL", (0.5, 350)),
    Quantity(
        "glucose",
        "Glucose",
        ("14749-6", "2345-7", "15074-8", "2339-0"),
        "mmol/L",
        (0.3, 100),
        molar_mass=GLUCOSE,
    ),
    Quantity(
        "glucose_capillary",
        "Glucose by glucometer",
        ("14743-9", "41653-7"),
        "mmol/L",
        (0.3, 60),
        molar_mass=GLUCOSE,
    ),
    Quantity(
        "albumin",
        "Albumin",
        ("1751-7", "61151-7", "61152-5"),
        "g/L",
        (5, 80),
        (
            Normal(25, 45, "Whipps Cross", 0, 1),
            Normal(35, 55, "Whipps Cross", YEAR, 16 * YEAR),
            Normal(35, 50, "liver", ADULT),
        ),
    ),
    Quantity(
        "bilirubin",
        "Bilirubin",
        ("14631-6", "1975-2", "42719-5"),
        "umol/L",
        (0.5, 1200),
        (Normal(None, 20, "liver", ADULT),),
        molar_mass=584.66,
    ),
    Quantity(
        "alt",
        "Alanine aminotransferase",
        ("1742-6", "1743-4", "1744-2"),
        "U/L",
        (0.1, 30_000),
        (Normal(None, 40, "Whipps Cross", YEAR, 16 * YEAR), Normal(10, 50, "liver", ADULT)),
    ),
)
