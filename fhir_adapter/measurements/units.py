"""Value and unit as written -> value in the unit of its quantity, or None when the unit is not known.

A unit is looked up in three steps: the unit itself, the table of common ones, the UCUM library. Never guessed.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from fhir_adapter.measurements.quantity import Quantity
from fhir_adapter.measurements.spellings import EXACT, SPELLINGS

Line = tuple[float, float]
"""Factor and offset of `value in target = factor * value + offset`."""
UCUM: Final = "http://unitsofmeasure.org"
_LONGEST: Final = 40
"""Longer texts are no units; parsing them would only cost time."""

# Only to save the library's half second at first use: a test compares each row with the library.
COMMON: Final[dict[tuple[str, str], Line]] = {
    ("10*3/uL", "10*9/L"): (1.0, 0.0),
    ("10*6/uL", "10*9/L"): (1000.0, 0.0),
    ("/uL", "10*9/L"): (0.001, 0.0),
    ("[degF]", "Cel"): (5 / 9, -160 / 9),
    ("g/dL", "g/L"): (10.0, 0.0),
    ("mg/dL", "mg/L"): (10.0, 0.0),
    ("ug/L", "ng/mL"): (1.0, 0.0),
    ("ug/mL", "mg/L"): (1.0, 0.0),
    ("ng/mL", "mg/L"): (0.001, 0.0),
    ("ng/mL", "ng/L"): (1000.0, 0.0),
    ("pg/mL", "ng/L"): (1.0, 0.0),
    ("meq/L", "mmol/L"): (1.0, 0.0),
    ("1", "%"): (100.0, 0.0),
    ("L/L", "%"): (100.0, 0.0),
    ("kPa", "mm[Hg]"): (7.500615758456563, 0.0),
    ("g", "kg"): (0.001, 0.0),
    ("[lb_av]", "kg"): (0.45359237, 0.0),
    ("m", "cm"): (100.0, 0.0),
    ("[in_i]", "cm"): (2.54, 0.0),
    ("mg/dL.mol/g", "mmol/L"): (10.0, 0.0),
    ("mg/dL.mol/g", "umol/L"): (10_000.0, 0.0),
}
AGREED: Final[dict[tuple[str, str], Line]] = {
    # UCUM keeps international units apart from everything; of an enzyme's activity they are its U (IUB, 1964).
    ("[iU]/L", "U/L"): (1.0, 0.0),
    # UCUM has pH as a unit of its own; others write the bare number that it is.
    ("1", "[pH]"): (1.0, 0.0),
}
"""What UCUM does not know, and every laboratory does."""

_ANNOTATION: Final = re.compile(r"\{[^{}]*\}")
_BASIS: Final = re.compile(r"(?i)(?<![a-z])(FEU|DDU)(?![a-z])")
_HUGE: Final = re.compile(r"\d{4}")
"""No unit needs such a number, and `10*9999999999` would keep the library multiplying for ever."""
_MICRO: Final = re.compile(r"[µμ]|mc(?=[gGlL])")
_EQUIVALENT: Final = re.compile(r"(?<![A-Za-z])[a-z]?eq(?![A-Za-z])")


def to_unit(value: float, unit: str, quantity: Quantity) -> float | None:
    """Convert a value to the unit of its quantity.

    Mass and amount of substance are converted into each other where the quantity has a molar mass. The result is
    rounded to six significant digits, more than any laboratory gives, so that 100.4 [degF] reads as 38 and not as
    38.00000000000006.

    Args:
        value: the number as written.
        unit: UCUM code, or the unit's text where no code is given.
        quantity: what it is a value of.
    """
    line = _line(unit, quantity.unit, quantity.molar_mass, quantity.basis, quantity.single_charge)
    return None if line is None else float(f"{line[0] * value + line[1]:.6g}")


def warm_up() -> None:
    """Load the UCUM library now, in a thread at start, so that the first rare unit does not wait for it."""
    _ask_library("/s", "/min")


@lru_cache(maxsize=1024)
def _line(written: str, target: str, molar_mass: float | None, basis: str, single_charge: bool) -> Line | None:  # noqa: FBT001 - as the row has it
    """Return how to convert; kept, as a chart has many values and few units."""
    named = _BASIS.search(written[: 2 * _LONGEST])
    if named is not None and named[1].upper() != basis:
        return None
    unit = _tidy(_BASIS.sub("", written[: 2 * _LONGEST]).strip())
    if unit is None or (_EQUIVALENT.search(unit) and not single_charge):
        return None
    if unit == target:
        return 1.0, 0.0
    known = _convert(unit, target) or AGREED.get((unit, target))
    return known if known is not None or molar_mass is None else _by_molar_mass(unit, target, molar_mass)


def _by_molar_mass(unit: str, target: str, molar_mass: float) -> Line | None:
    """Convert amount of substance to mass, or mass to amount; `molar_mass` in g/mol."""
    to_mass = _convert(f"{unit}.g/mol", target)
    if to_mass is not None:
        return to_mass[0] * molar_mass, to_mass[1]
    to_amount = _convert(f"{unit}.mol/g", target)
    return None if to_amount is None else (to_amount[0] / molar_mass, to_amount[1])


def _convert(unit: str, target: str) -> Line | None:
    return COMMON.get((unit, target)) or _ask_library(unit, target)


def _ask_library(unit: str, target: str) -> Line | None:
    # It costs half a second, and most processes never meet a unit outside the table.
    from fhir_adapter.measurements.ucum import line_between  # noqa: PLC0415

    return line_between(unit, target)


def _tidy(written: str) -> str | None:
    """Bring a unit as written to UCUM; None where nothing is left of it."""
    if written in EXACT:
        return EXACT[written]
    # Annotations say what is counted and carry no meaning of their own (UCUM section 6).
    unit = _MICRO.sub("u", _ANNOTATION.sub("", written.strip())).replace("×", "x").strip()
    if not unit or len(unit) > _LONGEST or _HUGE.search(unit):
        return None
    return SPELLINGS.get(unit.lower().replace(" ", ""), unit)
