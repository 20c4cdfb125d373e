"""value[x] of an Observation or a component -> a number in the unit of its quantity, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Final

from fhir_adapter.measurements.quantity import Quantity
from fhir_adapter.measurements.units import UCUM, to_unit
from fhir_adapter.record import GapReason
from fhir_adapter.shape import Resource, as_text, codes_of

_COMPARATORS: Final = frozenset({"<", "<=", ">=", ">"})
_FORMS: Final = {
    "valueString": "it is a text, not a number",
    "valueInteger": "it is a number without a unit",
    "valueCodeableConcept": "it is a finding in words, not a number",
    "valueRange": "it is a range, not one number",
    "valueRatio": "it is a ratio, not one number",
    "valueSampledData": "it is a series of samples, not one number",
}
"""value[x] other than a Quantity (R4 Observation). None is turned into one number: the middle of a range, a quotient or
the mean of a curve would be our figure and not the laboratory's."""
_ABSENT: Final = {
    "unknown": (GapReason.MISSING, "its value is not known"),
    "asked-unknown": (GapReason.MISSING, "its value is not known"),
    "temp-unknown": (GapReason.MISSING, "its value is not known yet"),
    "not-asked": (GapReason.MISSING, "it was not asked for"),
    "asked-declined": (GapReason.MISSING, "it was declined"),
    "masked": (GapReason.MISSING, "it is withheld"),
    "not-applicable": (GapReason.MISSING, "it does not apply"),
    "unsupported": (GapReason.MISSING, "the system that sent it cannot hold it"),
    "not-performed": (GapReason.MISSING, "it was not performed"),
    "not-permitted": (GapReason.MISSING, "it is withheld"),
    "as-text": (GapReason.UNREADABLE, "it is a text, not a number"),
    "error": (GapReason.UNREADABLE, "the measurement failed"),
    "not-a-number": (GapReason.UNREADABLE, "the measurement failed"),
    "negative-infinity": (GapReason.UNREADABLE, "it is below what can be measured"),
    "positive-infinity": (GapReason.UNREADABLE, "it is above what can be measured"),
}
"""HL7 code system data-absent-reason, all its codes."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why an element gives no number; `detail` is for a clinician and holds nothing of the value."""

    reason: GapReason
    detail: str = ""


def number_of(content: Resource, quantity: Quantity) -> float | Unusable | None:
    """Return the value in the quantity's unit, what is wrong with it, or None for the mere heading of a panel.

    "<5" counts as 5 and ">200" as 200, the limit itself (R4 QuantityComparator): the nearest number that the
    laboratory did state. It never makes a result look more extreme than it is.
    """
    forms = [name for name in content if name.startswith("value") and content[name] is not None]
    if "dataAbsentReason" in content:
        return (
            _absent(content["dataAbsentReason"]) if not forms else _unreadable("it has a value and a reason for none")
        )
    if not forms:
        is_heading = "component" in content or "hasMember" in content
        return None if is_heading else _unreadable("it holds no value")
    if len(forms) > 1:
        return _unreadable("it holds two values")
    given = content[forms[0]]
    if forms[0] != "valueQuantity" or not isinstance(given, dict):
        return _unreadable(_FORMS.get(forms[0], "it holds no number"))
    return _of_quantity(given, quantity)


def _of_quantity(given: Resource, quantity: Quantity) -> float | Unusable:
    number = given.get("value")
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        return _unreadable("its number is a text" if isinstance(number, str) else "it holds no number")
    if "comparator" in given and as_text(given["comparator"]) not in _COMPARATORS:
        return _unreadable("its comparator is not known")
    unit = _unit(given)
    if not unit:
        return _unreadable("it has no unit")
    try:
        value = to_unit(float(number), unit, quantity)
    except OverflowError:
        return Unusable(GapReason.IMPLAUSIBLE)
    if value is None:
        return _unreadable("its unit is not known")
    low, high = quantity.plausible
    return value if isfinite(value) and low <= value <= high else Unusable(GapReason.IMPLAUSIBLE)


def _unit(given: Resource) -> str:
    """Return the UCUM code; the printed unit only where no UCUM code is given."""
    code = as_text(given.get("code"))
    return code if code and given.get("system") == UCUM else as_text(given.get("unit")) or code


def _absent(concept: object) -> Unusable:
    known = (_ABSENT[code] for _, code in codes_of(concept) if code in _ABSENT)
    reason, detail = next(known, (GapReason.MISSING, "no known reason is given"))
    return Unusable(reason, detail)


def _unreadable(detail: str) -> Unusable:
    return Unusable(GapReason.UNREADABLE, detail)
