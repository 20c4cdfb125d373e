"""Vital signs, oxygen and body size."""

from __future__ import annotations

from typing import Final

from fhir_adapter.measurements.quantity import YEAR, Normal, Quantity

DAY_H: Final = 24.0
MONTH_H: Final = 30 * DAY_H

VITALS: Final = (
    Quantity(
        "temperature",
        "Temperature",
        ("8310-5", "8331-1", "8328-7", "8333-7", "8332-9", "8329-5"),
        "Cel",
        (30, 44),
        (Normal(36.0, 37.9, "cut-off"),),
        DAY_H,
    ),
    Quantity(
        "heart_rate",
        "Heart rate",
        ("8867-4",),
        "/min",
        (30, 280),
        (
            Normal(100, 205, "PALS", 0, 1),
            Normal(100, 190, "PALS", 1, YEAR),
            Normal(85, 140, "preschool", YEAR, 6 * YEAR),
            Normal(75, 118, "PALS", 6 * YEAR, 12 * YEAR),
            Normal(60, 100, "PALS", 12 * YEAR, 16 * YEAR),
        ),
        DAY_H,
    ),
    Quantity(
        "respiratory_rate",
        "Respiratory rate",
        ("9279-1",),
        "/min",
        (6, 130),
        (
            Normal(30, 53, "PALS", 0, YEAR),
            Normal(20, 37, "preschool", YEAR, 6 * YEAR),
            Normal(18, 25, "PALS", 6 * YEAR, 12 * YEAR),
            Normal(12, 20, "PALS", 12 * YEAR, 16 * YEAR),
        ),
        DAY_H,
    ),
    Quantity(
        "spo2",
        "Oxygen saturation",
        ("59408-5", "2708-6"),
        "%",
        (40, 100),
        (Normal(95, None, "preschool", YEAR, 6 * YEAR), Normal(95, None, "blood gas", 18 * YEAR)),
        DAY_H,
    ),
    Quantity(
        "systolic",
        "Systolic blood pressure",
        ("8480-6",),
        "mm[Hg]",
        (30, 280),
        (
            Normal(67, 84, "PALS", 0, 1),
            Normal(72, 104, "PALS", 1, YEAR),
            Normal(86, 106, "PALS", YEAR, 3 * YEAR),
            Normal(89, 112, "PALS", 3 * YEAR, 6 * YEAR),
            Normal(97, 115, "PALS", 6 * YEAR, 10 * YEAR),
            Normal(102, 120, "PALS", 10 * YEAR, 12 * YEAR),
            Normal(110, 131, "PALS", 12 * YEAR, 16 * YEAR),
        ),
        DAY_H,
    ),
    Quantity(
        "diastolic",
        "Diastolic blood pressure",
        ("8462-4",),
        "mm[Hg]",
        (10, 180),
        (
            Normal(35, 53, "PALS", 0, 1),
            Normal(37, 56, "PALS", 1, YEAR),
            Normal(42, 63, "PALS", YEAR, 3 * YEAR),
            Normal(46, 72, "PALS", 3 * YEAR, 6 * YEAR),
            Normal(57, 76, "PALS", 6 * YEAR, 10 * YEAR),
            Normal(61, 80, "PALS", 10 * YEAR, 12 * YEAR),
            Normal(64, 83, "PALS", 12 * YEAR, 16 * YEAR),
        ),
        DAY_H,
    ),
    Quantity("mean_pressure", "Mean blood pressure", ("8478-0",), "mm[Hg]", (15, 220), (), DAY_H),
    Quantity("oxygen_flow", "Inhaled oxygen flow", ("3151-8",), "L/min", (0, 80), (), DAY_H),
    # From room air to pure oxygen: a fraction that is said to be a percentage, 0.4 %, falls outside and is refused.
    Quantity("fio2", "Inhaled oxygen concentration", ("3150-0", "19994-3"), "%", (20, 100), (), DAY_H),
    # Birth weight (8339-4) and a stated weight (3142-7) are not the weight of today.
    Quantity("weight", "Body weight", ("29463-7", "3141-9"), "kg", (0.3, 400), (), MONTH_H),
    Quantity("height", "Body height", ("8302-2", "8306-3", "3137-7", "8308-9"), "cm", (20, 250), (), 3 * MONTH_H),
)
