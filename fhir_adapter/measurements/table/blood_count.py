"""The blood count. Absolute counts only: a share of the white cells (770-8, 736-9) is another quantity."""

from __future__ import annotations

from typing import Final

from fhir_adapter.measurements.quantity import YEAR, Normal, Quantity

ADULT: Final = 18 * YEAR

BLOOD_COUNT: Final = (
    Quantity(
        "wbc",
        "White blood cells",
        ("6690-2", "26464-8", "804-5"),
        "10*9/L",
        (0.2, 120),
        (
            Normal(9, 30, "Iowa", 0, 1),
            Normal(5, 19.5, "Iowa", 1, 3),
            Normal(6, 17.5, "Iowa", 3, YEAR),
            Normal(4.8, 12.3, "preschool", YEAR, 6 * YEAR),
            Normal(5, 13, "Bournemouth", 6 * YEAR, 12 * YEAR),
            Normal(4, 10, "Bournemouth", ADULT),
        ),
    ),
    Quantity(
        "neutrophils",
        "Neutrophils",
        ("751-8", "26499-4", "753-4"),
        "10*9/L",
        (0.02, 100),
        (
            Normal(1, 20, "Iowa", 0, 1),
            Normal(1, 9, "Iowa", 1, 3),
            Normal(1, 8.5, "Iowa", 3, 6),
            Normal(1.5, 8.5, "Iowa", 6, YEAR),
            Normal(1.9, 7.3, "preschool", YEAR, 6 * YEAR),
            Normal(1.7, 7.5, "Iowa", 6 * YEAR, ADULT),
            Normal(2, 7, "Bournemouth", ADULT),
        ),
    ),
    Quantity(
        "lymphocytes",
        "Lymphocytes",
        ("731-0", "26474-7", "732-8"),
        "10*9/L",
        (0.02, 80),
        (
            Normal(2, 11, "Iowa", 0, 1),
            Normal(2.5, 16.5, "Iowa", 1, 3),
            Normal(4, 13.5, "Iowa", 3, 6),
            Normal(4, 10.5, "Iowa", 6, YEAR),
            Normal(1.7, 10.7, "preschool", YEAR, 6 * YEAR),
            Normal(1.25, 7, "Iowa", 6 * YEAR, ADULT),
            Normal(1, 3, "Bournemouth", ADULT),
        ),
    ),
    Quantity(
        "haemoglobin",
        "Haemoglobin",
        ("718-7",),
        "g/L",
        (20, 250),
        (
            Normal(134, 199, "Iowa", 0, 1),
            Normal(107, 171, "Iowa", 1, 2),
            Normal(90, 141, "Iowa", 2, 3),
            Normal(95, 141, "Iowa", 3, 6),
            Normal(113, 141, "Iowa", 6, YEAR),
            Normal(109, 145, "preschool", YEAR, 6 * YEAR),
            Normal(115, 155, "Bournemouth", 6 * YEAR, 12 * YEAR),
            Normal(120, 150, "Bournemouth", ADULT, sex="female"),
            Normal(130, 170, "Bournemouth", ADULT, sex="male"),
        ),
        # 64.5 kg/mol is the tetramer; laboratories that report mmol/L mean the monomer, a quarter of it.
        molar_mass=16114.5,
    ),
    Quantity(
        "haematocrit",
        "Haematocrit",
        ("4544-3", "20570-8"),
        "%",
        (8, 75),
        (
            Normal(42, 65, "Iowa", 0, 1),
            Normal(33, 55, "Iowa", 1, 2),
            Normal(28, 41, "Iowa", 2, 3),
            Normal(29, 41, "Iowa", 3, 6),
            Normal(31, 41, "Iowa", 6, YEAR),
            Normal(30, 38, "Bournemouth", YEAR, 2 * YEAR),
            Normal(34, 40, "Bournemouth", 2 * YEAR, 6 * YEAR),
            Normal(35, 45, "Bournemouth", 6 * YEAR, 12 * YEAR),
            Normal(36, 46, "Bournemouth", ADULT, sex="female"),
            Normal(40, 50, "Bournemouth", ADULT, sex="male"),
        ),
    ),
    Quantity(
        "platelets",
        "Platelets",
        ("777-3", "26515-7"),
        "10*9/L",
        (2, 2500),
        (
            Normal(179, 475, "preschool", YEAR, 6 * YEAR),
            Normal(170, 450, "Bournemouth", 6 * YEAR, 12 * YEAR),
            Normal(150, 410, "Bournemouth", ADULT),
        ),
    ),
)
