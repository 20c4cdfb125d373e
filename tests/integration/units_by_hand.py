"""Unit as written -> unit wanted, by a table made from UCUM's definitions and nothing of the product."""

from __future__ import annotations

from typing import Final

MASS: Final = {"kg": 1e3, "g": 1.0, "mg": 1e-3, "ug": 1e-6, "ng": 1e-9, "pg": 1e-12, "[lb_av]": 453.59237}
AMOUNT: Final = {"mol": 1.0, "mmol": 1e-3, "umol": 1e-6, "nmol": 1e-9, "pmol": 1e-12, "meq": 1e-3}
"""An equivalent is a mole for ions of one charge, the only ones that are reported so here."""
VOLUME: Final = {"L": 1.0, "dL": 1e-1, "mL": 1e-3, "uL": 1e-6}
NUMBER: Final = {"": 1.0, "10*3": 1e3, "10*6": 1e6, "10*9": 1e9, "K": 1e3}
"""`K/uL` is kelvin in UCUM, and thousand in every laboratory that prints it beside a blood count."""
ACTIVITY: Final = {"U": 1.0, "[IU]": 1.0, "[iU]": 1.0}
LENGTH: Final = {"m": 1.0, "cm": 1e-2, "[in_i]": 0.0254}
PRESSURE: Final = {"mm[Hg]": 1.0, "kPa": 7.500617}
SHARE: Final = {"%": 1e-2, "1": 1.0}
TIME: Final = {"min": 1.0, "h": 60.0}
KINDS: Final = {
    "mass": MASS,
    "amount": AMOUNT,
    "volume": VOLUME,
    "number": NUMBER,
    "activity": ACTIVITY,
    "length": LENGTH,
    "pressure": PRESSURE,
    "share": SHARE,
    "time": TIME,
}

GRAMS_PER_MOL: Final = {
    "2339-0": 180.156,
    "2345-7": 180.156,
    "2160-0": 113.12,
    "38483-4": 113.12,
    # Urea is reported by its nitrogen, of which a mole of urea holds two atoms.
    "3094-0": 28.0134,
    "6299-2": 28.0134,
    "1975-2": 584.66,
    "42719-5": 584.66,
}
"""Of what a LOINC code measures, for laboratories that report mass where the record has amount, or the other way."""


def converted(value: float, unit: str, wanted: str, loinc: str) -> float | None:
    """Return a value in the wanted unit; None where this table does not know how."""
    if unit == wanted:
        return value
    if (unit, wanted) == ("[degF]", "Cel"):
        return (value - 32.0) * 5.0 / 9.0
    one, other = _read(unit), _read(wanted)
    if one is None or other is None:
        return None
    (kinds, factor), (kinds_wanted, factor_wanted) = one, other
    if kinds == kinds_wanted:
        return value * factor / factor_wanted
    grams = GRAMS_PER_MOL.get(loinc)
    if grams and kinds[1:] == kinds_wanted[1:] and {kinds[0], kinds_wanted[0]} == {"mass", "amount"}:
        return value * factor / factor_wanted * (grams if kinds[0] == "amount" else 1.0 / grams)
    return None


def _read(unit: str) -> tuple[tuple[str, ...], float] | None:
    """Return the kinds of numerator and denominator, and the size in base units."""
    kinds, size = [], 1.0
    for place, part in enumerate(unit.split("/")):
        found = [(kind, table[part]) for kind, table in KINDS.items() if part in table]
        if not found:
            return None
        kinds.append(found[0][0])
        size *= found[0][1] if place == 0 else 1.0 / found[0][1]
    return tuple(kinds), size
