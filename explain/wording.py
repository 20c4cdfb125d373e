"""Numbers, units, times and lists -> the words and signs that a clinician expects."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from inference.contract import Diagnosis

SMALLEST_POINT: Final = 0.005
"""A change of probability under half a point is none."""
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNITS: Final = {"Cel": "°C", "10*9/L": "× 10⁹/L", "10*12/L": "× 10¹²/L", "ug/L": "µg/L", "mm[Hg]": "mmHg"}
_DECIMALS: Final = {"temperature": 1, "wbc": 1, "neutrophils": 1, "lymphocytes": 1, "procalcitonin": 2}
_MOST_DECIMALS: Final = 4
_CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+")


class Quantified(Protocol):
    """A value with its unit and normal range: a row of measurements, or the fact that repeats it."""

    @property
    def key(self) -> str:
        """Key of its slot."""
        ...

    @property
    def value(self) -> float:
        """In `unit`; months for the age, 1 for female and 0 for male."""
        ...

    @property
    def unit(self) -> str:
        """UCUM."""
        ...

    @property
    def normal(self) -> tuple[float | None, float | None] | None:
        """Lower and upper limit, each None where there is none."""
        ...


def percent(probability: float) -> str:
    """Return a probability in whole per cent; never a false "0 %" or "100 %"."""
    whole = round(100.0 * probability)
    if whole == 0 and probability > 0.0:
        return "under 1 %"
    if whole == 100 and probability < 1.0:
        return "over 99 %"
    return f"{whole} %"


def signed(number: float, decimals: int) -> str:
    """Return a number with its sign and a true minus sign: "+0.84", "−0.30", "0.00"."""
    text = f"{abs(number):.{decimals}f}"
    return text if float(text) == 0.0 else ("+" if number > 0 else "−") + text


def reading(measurement: Quantified) -> str:
    """Return a value with its unit: "14.0 × 10⁹/L", "92 %", "2 years 10 months", "female"."""
    if measurement.key == "age":
        return _age(round(measurement.value))
    if measurement.key == "female":
        return "female" if measurement.value > 0.5 else "male"
    unit = _UNITS.get(measurement.unit, measurement.unit)
    return f"{_figure(measurement)}{'' if unit.startswith('/') else ' '}{unit}".strip()


def normal_range(measurement: Quantified) -> str:
    """Return the normal range, "4.8–12.3", "up to 5" or "from 95"; empty where there is none."""
    low, high = measurement.normal or (None, None)
    decimals = max((_decimals_of(limit) for limit in (low, high) if limit is not None), default=0)
    if low is not None and high is not None:
        return f"{low:.{decimals}f}–{high:.{decimals}f}"
    if high is not None:
        return f"up to {high:.{decimals}f}"
    return "" if low is None else f"from {low:.{decimals}f}"


def level(measurement: Quantified) -> str:
    """Return "high", "low" or "normal" against the normal range; empty where there is none."""
    low, high = measurement.normal or (None, None)
    if low is None and high is None:
        return ""
    if high is not None and measurement.value > high:
        return "high"
    return "low" if low is not None and measurement.value < low else "normal"


def moment(at: datetime) -> str:
    """Return a time as it was recorded: "24 Nov 2026, 08:22"; UTC is named, a local time needs no name."""
    zone = " UTC" if at.tzinfo is UTC or (at.utcoffset() == timedelta(0) and at.tzname() == "UTC") else ""
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}, {at:%H:%M}{zone}"


def listed(items: Sequence[str]) -> str:
    """Join as a sentence does: "a, b and c"."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""


def counted(number: int, noun: str) -> str:
    """Return "1 measurement", "9 measurements"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def by_points(points: float) -> str:
    """Return "by 12 points", "by 1 point" without a sign."""
    return f"by {counted(max(1, round(abs(100 * points))), 'point')}"


def inside(name: str) -> str:
    """Return a name as it stands inside a sentence: "white blood cells", but "C-reactive protein"."""
    return name[:1].lower() + name[1:] if name[1:2].islower() else name


def term(diagnosis: Diagnosis) -> str:
    """Return a diagnosis inside a sentence; the label that is the absence of the others stands in quotation marks."""
    return inside(diagnosis.name) if diagnosis.snomed else f"“{inside(diagnosis.name)}”"


def quoted(text: str, longest: int = 90) -> str:
    """Return words of a note in quotation marks, on one line, cut at a word where they are long.

    Characters that turn the direction of writing are left out: they could turn the sentence around the quotation.
    """
    line = " ".join(_CONTROLS.sub(" ", text).split())
    if len(line) > longest:
        line = line[:longest].rsplit(" ", 1)[0] + " …"
    return f"“{line}”"


def _age(months: int) -> str:
    years, rest = divmod(months, 12)
    if years == 0:
        return counted(rest, "month")
    return counted(years, "year") + (f" {counted(rest, 'month')}" if rest else "")


def _figure(measurement: Quantified) -> str:
    """Return the value with the decimals of its kind; with more where fewer would show it as zero, or as normal."""
    value = measurement.value
    wanted = _DECIMALS.get(measurement.key, 1 if abs(value) < 10 and value != round(value) else 0)
    for decimals in range(wanted, _MOST_DECIMALS):
        shown = float(f"{value:.{decimals}f}")
        if (shown != 0.0 or value == 0.0) and _sides(shown, measurement) == _sides(value, measurement):
            return f"{value:.{decimals}f}"
    return f"{value:g}"


def _sides(value: float, measurement: Quantified) -> tuple[bool, bool]:
    low, high = measurement.normal or (None, None)
    return low is not None and value < low, high is not None and value > high


def _decimals_of(limit: float) -> int:
    return len(f"{limit:g}".partition(".")[2])
