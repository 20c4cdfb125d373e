"""Markers of inflammation, the heart and clotting. What is not the same substance or the same test has its own row."""

from __future__ import annotations

from typing import Final

from fhir_adapter.measurements.quantity import Normal, Quantity

MARKERS: Final = (
    Quantity(
        "crp",
        "C-reactive protein",
        # Its moles (76485-2) are known and refused: a pentamer is counted by some as one, by others as five.
        ("1988-5", "76485-2"),
        "mg/L",
        (0.01, 700),
        (Normal(None, 5, "cut-off"),),
    ),
    Quantity(
        "procalcitonin",
        "Procalcitonin",
        ("33959-8", "75241-0"),
        "ng/mL",
        (0.001, 1000),
        # It rises in every newborn for its first days.
        (Normal(None, 0.5, "cut-off", 1),),
    ),
    Quantity("bnp", "B-type natriuretic peptide", ("30934-4", "42637-9"), "ng/L", (0.5, 50_000), molar_mass=3464),
    Quantity("nt_pro_bnp", "NT-proBNP", ("33762-6", "33763-4", "71425-3"), "ng/L", (1, 500_000), molar_mass=8457),
    # Troponin I, T and their high-sensitivity tests have cut-offs of their own and cannot be compared.
    Quantity("troponin_i", "Troponin I", ("10839-9", "42757-5"), "ng/L", (0.1, 5_000_000)),
    Quantity("troponin_i_hs", "Troponin I, high sensitivity", ("89579-7",), "ng/L", (0.1, 5_000_000)),
    Quantity("troponin_t", "Troponin T", ("6598-7", "48425-3"), "ng/L", (0.1, 1_000_000)),
    Quantity("troponin_t_hs", "Troponin T, high sensitivity", ("67151-1",), "ng/L", (0.1, 1_000_000)),
    # One fibrinogen equivalent unit is about two D-dimer units; "about" is no conversion.
    Quantity("d_dimer_feu", "D-dimer (FEU)", ("48065-7", "48067-3", "71427-9"), "mg/L", (0.01, 500), basis="FEU"),
    Quantity("d_dimer_ddu", "D-dimer (DDU)", ("48066-5", "48058-2", "91556-1"), "mg/L", (0.01, 500), basis="DDU"),
)
