"""Value and unit as written -> value in the unit of its quantity, or None when the unit is not known.

A unit is looked up in three steps: the unit itself, the table of common ones, the UCUM library. Never guessed.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from fhir_adapter.measurements.quantities import Quantity

UCUM: Final = "http://unitsofmeasure.org"
_LONGEST: Final = 40
"""Longer texts are no units; parsing them would only cost time."""

# Written forms that are no UCUM, or UCUM for something absurd (`K/uL` is kelvin per microlitre), compared without
# case, blanks and annotations.
_SPELLINGS: Final = {
    spelling: unit
    for unit, spellings in {
        "10*9/L": "10^9/l 10e9/l 10e+9/l x10^9/l x10e9/l x10*9/l 10**9/l 10⁹/l x10⁹/l gpt/l giga/l bil/l",
        "10*3/uL": "10^3/ul 10e3/ul 10e+3/ul x10^3/ul x10e3/ul x10*3/ul 10**3/ul x10**3/ul 10³/ul x10³/ul k/ul "
        "k/mm3 k/cumm k/mm^3 thou/ul thous/ul thousand/ul tsd/ul 10*3/mm3 10^3/mm3 x10^3/mm3 10³/mm³",
        "10*6/uL": "10^6/ul 10e6/ul x10^6/ul x10e6/ul x10*6/ul m/ul mil/ul million/ul",
        "/uL": "cells/ul cell/ul #/ul 1/ul /mm3 /cumm cells/mm3 cells/cumm",
        "/min": "bpm beats/min beats/minute breaths/min breaths/minute br/min resp/min /minute 1/min min-1 min^-1",
        "Cel": "c °c ℃ degc deg_c degreesc degreescelsius celsius",
        "[degF]": "f °f ℉ degf deg_f degreesf degreesfahrenheit fahrenheit",
        "%": "percent pct %spo2 %sat %o2",
        "mmol/L": "mmol/l",
        "meq/L": "meq/l",
        "mg/L": "mg/l",
        "mg/dL": "mg/dl",
        "g/L": "g/l",
        "g/dL": "g/dl gm/dl g% gm%",
        "ug/L": "ug/l mcg/l",
        "ng/mL": "ng/ml",
    }.items()
    for spelling in spellings.split()
}

# Where case is all that tells two units apart, the case as written decides: giga per litre is no gram per litre.
_EXACT: Final = {"G/L": "10*9/L"}

# (written unit, unit of the quantity) -> (factor, offset). Only to save the library's half second at first use:
# a test compares each row with the library.
COMMON: Final = {
    ("10*3/uL", "10*9/L"): (1.0, 0.0),
    ("10*6/uL", "10*9/L"): (1000.0, 0.0),
    ("/uL", "10*9/L"): (0.001, 0.0),
    ("[degF]", "Cel"): (5 / 9, -160 / 9),
    ("g/dL", "g/L"): (10.0, 0.0),
    ("mg/dL", "mg/L"): (10.0, 0.0),
    ("ug/L", "ng/mL"): (1.0, 0.0),
    ("meq/L", "mmol/L"): (1.0, 0.0),
}

_ANNOTATION: Final = re.compile(r"\{[^{}]*\}")
_HUGE: Final = re.compile(r"\d{4}")
"""No unit needs such a number, and `10*9999999999` would keep the library multiplying for ever."""
_MICRO: Final = re.compile(r"[µμ]|mc(?=[gGlL])")


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
    line = _line(unit, quantity.unit, quantity.molar_mass)
    return None if line is None else float(f"{line[0] * value + line[1]:.6g}")


def warm_up() -> None:
    """Load the UCUM library now, in a thread at start, so that the first rare unit does not wait for it."""
    _ask_library("/s", "/min")


@lru_cache(maxsize=1024)
def _line(written: str, target: str, molar_mass: float | None) -> tuple[float, float] | None:
    unit = _tidy(written)
    if unit is None or unit == target:
        return None if unit is None else (1.0, 0.0)
    known = COMMON.get((unit, target)) or _ask_library(unit, target)
    if known is None and molar_mass is not None:
        return _by_substance(unit, target, molar_mass)
    return known


def _by_substance(unit: str, target: str, molar_mass: float) -> tuple[float, float] | None:
    """Convert amount of substance to mass; `molar_mass` in g/mol."""
    line = _ask_library(f"{unit}.g/mol", target)
    return None if line is None else (line[0] * molar_mass, line[1])


def _ask_library(unit: str, target: str) -> tuple[float, float] | None:
    # It costs half a second, and most processes never meet a unit outside the table.
    from fhir_adapter.measurements.ucum import line_between  # noqa: PLC0415

    return line_between(unit, target)


def _tidy(written: str) -> str | None:
    """Bring a unit as written to UCUM; None where nothing is left of it."""
    # Annotations say what is counted and carry no meaning of their own (UCUM section 6).
    unit = _MICRO.sub("u", _ANNOTATION.sub("", written[: 2 * _LONGEST].strip())).replace("×", "x")
    if not unit or len(unit) > _LONGEST or _HUGE.search(unit):
        return None
    return _EXACT.get(unit) or _SPELLINGS.get(unit.lower().replace(" ", ""), unit)
