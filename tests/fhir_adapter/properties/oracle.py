"""What a value should be, worked out without the code under test: by ucumvert and pint directly."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import pint
import ucumvert
from lark.exceptions import LarkError

from tests.fhir_adapter.builders import UCUM, Json

# What the strategies write that is no UCUM; typed here again, so that a wrong row of ours would show.
_PRINTED: Final = {
    "K/uL": "10*3/uL", "k/ul": "10*3/uL", "x10E3/uL": "10*3/uL", "10^9/L": "10*9/L", "G/L": "10*9/L", "cells/uL": "/uL",
    "°F": "[degF]", "°C": "Cel", "bpm": "/min", "breaths/min": "/min", "mmHg": "mm[Hg]", "mEq/L": "meq/L",
    "lbs": "[lb_av]", "inches": "[in_i]", "MG/DL": "mg/dL", "mcg/L": "ug/L", "µmol/L": "umol/L", "IU/L": "[iU]/L",
    "pH": "[pH]", "ug/mL{FEU}": "ug/mL", "ng/mL{DDU}": "ng/mL", "%{saturation}": "%", "{beats}/min": "/min",
}  # fmt: skip
_GRAM_PER_MOLE: Final = {
    "haemoglobin": 16114.5, "creatinine": 113.12, "urea": 60.056, "glucose": 180.156, "glucose_capillary": 180.156,
    "bilirubin": 584.66, "bnp": 3464.0, "nt_pro_bnp": 8457.0, "lactate": 90.08, "lactate_arterial": 90.08,
    "lactate_venous": 90.08, "lactate_capillary": 90.08,
}  # fmt: skip
_AS_IT_IS: Final = {("[iU]/L", "U/L"), ("[pH]", "[pH]"), ("1", "[pH]")}


@cache
def registry() -> Any:
    """Ucumvert's own registry, which the adapter does not use."""
    return ucumvert.PintUcumRegistry()


def unit_of(quantity: Json) -> str:
    """The unit that a FHIR Quantity states: its UCUM code, else what is printed, else any code."""
    code, printed = quantity.get("code"), quantity.get("unit")
    code = code.strip() if isinstance(code, str) else ""
    printed = printed.strip() if isinstance(printed, str) else ""
    return code if code and quantity.get("system") == UCUM else printed or code


def convert(value: float, unit: str, target: str, key: str) -> float | None:
    """The value in the target's unit, or None where the two are of different kinds, or one is no unit."""
    given = _PRINTED.get(unit, unit)
    if (given, target) in _AS_IT_IS:
        return value
    try:
        one, wanted = (registry().from_ucum(text) for text in (given, target))
    except (LarkError, pint.PintError, ucumvert.InvalidUcumError):
        return None
    whole = registry().Quantity(value * one.magnitude, one.units)
    tried = [whole]
    if key in _GRAM_PER_MOLE and given not in ("[degF]", "Cel"):
        per_mole = registry().Quantity(_GRAM_PER_MOLE[key], "g/mol")
        tried += [whole * per_mole, whole / per_mole]
    fitting = (each for each in tried if each.is_compatible_with(wanted.units))
    return next((float(each.to(wanted.units).magnitude / wanted.magnitude) for each in fitting), None)
