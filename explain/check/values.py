"""A value that the explanation states -> whether the resource it names holds it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final

from explain.check.problems import Problem
from explain.check.resources import Chart, Resource, dicts, inner, moment, moment_of_period, moment_of_timing
from explain.check.vocabulary import Measure, measures, spellings

LOINC: Final = frozenset({"http://loinc.org", "urn:oid:2.16.840.1.113883.6.1"})
UCUM: Final = "http://unitsofmeasure.org"
TOLERANCE: Final = 1e-5
"""Relative; the record keeps six significant digits."""
AGE_TOLERANCE: Final = 0.01
"""Months; the model takes the age as a 32-bit number."""
LATE: Final = timedelta(days=14)
"""Where the moment of the question is not known, it lay within this after the newest evidence."""
SEXES: Final = {"female": 1.0, "male": 0.0}


@dataclass(frozen=True, slots=True)
class Stated:
    """A value as the explanation states it."""

    key: str
    value: float
    unit: str
    taken_at: datetime
    source: str


def check_value(stated: Stated, chart: Chart, asked_at: datetime | None) -> Iterator[Problem]:
    """Yield why a value cannot be traced to its resource; `asked_at`: moment of the question, for the age."""
    measure = measures().get(stated.key)
    if measure is None or stated.unit != measure.unit:
        yield Problem("unit", stated.key, stated.source)
        return
    yield from chart.problems(stated.key, stated.source)
    resource = chart.get(stated.source)
    if resource is None:
        return
    if stated.key == "age":
        right = _is_age(stated, resource.get("birthDate"), asked_at)
    elif stated.key == "female":
        right = SEXES.get(str(resource.get("gender"))) == stated.value
    else:
        yield from _check_observation(stated, measure, resource)
        return
    if not right:
        yield Problem("value", stated.key, stated.source)


def _check_observation(stated: Stated, measure: Measure, resource: Resource) -> Iterator[Problem]:
    parts = [part for part in _parts(resource) if measure.loinc & _codes(part)]
    if not parts:
        yield Problem("code", stated.key, stated.source)
        return
    if not any(_is_value(stated.value, part, measure) for part in parts):
        yield Problem("value", stated.key, stated.source)
    if not any((_time(part) or _time(resource)) == stated.taken_at for part in parts):
        yield Problem("time", stated.key, stated.source)


def _parts(resource: Resource) -> list[Resource]:
    return [resource, *dicts(resource.get("component")), *dicts(resource.get("contained"))]


def _codes(part: Resource) -> set[str]:
    codings = dicts(inner(part, "code").get("coding"))
    return {str(coding.get("code")) for coding in codings if coding.get("system") in LOINC}


def _time(part: Resource) -> datetime | None:
    return (
        moment(part.get("effectiveDateTime"))
        or moment(part.get("effectiveInstant"))
        or moment_of_period(part.get("effectivePeriod"))
        or moment_of_timing(part.get("effectiveTiming"))
        or moment(part.get("issued"))
    )


def _is_value(value: float, part: Resource, measure: Measure) -> bool:
    quantity = inner(part, "valueQuantity")
    number = quantity.get("value")
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        return False
    line = _line(_unit(quantity), measure.unit, measure.molar_mass)
    return line is not None and math.isclose(line[0] * number + line[1], value, rel_tol=TOLERANCE, abs_tol=1e-12)


def _unit(quantity: Resource) -> str:
    code, printed = str(quantity.get("code") or ""), str(quantity.get("unit") or "")
    return code if code and quantity.get("system") == UCUM else printed or code


@lru_cache(maxsize=256)
def _line(written: str, unit: str, molar_mass: float | None) -> tuple[float, float] | None:
    """Return factor and offset from a written unit to that of the quantity, by the UCUM library."""
    # The library takes half a second to load, and a narrator's text needs no conversion.
    from fhir_adapter.measurements.ucum import line_between  # noqa: PLC0415

    given = spellings().get(written.lower().replace(" ", ""), written)
    line = (1.0, 0.0) if given == unit else line_between(given, unit)
    if line is None and molar_mass is not None:
        amount = line_between(f"{given}.g/mol", unit)
        return None if amount is None else (amount[0] * molar_mass, amount[1])
    return line


def _is_age(stated: Stated, birth: object, asked_at: datetime | None) -> bool:
    born = moment(birth)
    if born is None or not isinstance(birth, str):
        return False
    # The middle of what is not known is wrong by the least.
    day = {4: born.date().replace(month=7), 7: born.date().replace(day=15)}.get(len(birth), born.date())
    if asked_at is not None:
        return abs(_months(day, asked_at.date()) - stated.value) <= AGE_TOLERANCE
    first, last = (_months(day, (stated.taken_at + wait).date()) for wait in (timedelta(0), LATE))
    return first - AGE_TOLERANCE <= stated.value <= last + AGE_TOLERANCE


def _months(born: date, day: date) -> float:
    """Return the age by the calendar; between two monthly days it rises evenly by 31sts."""
    whole = 12 * (day.year - born.year) + day.month - born.month - (1 if day.day < born.day else 0)
    return whole + ((day.day - born.day) % 31) / 31
