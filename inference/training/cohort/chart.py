"""What the writer of a note knows of a child, and the words that differ from child to child."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from inference.training.cohort.grammar import Grammar
from inference.training.cohort.parameters import number
from inference.training.cohort.physiology import Child
from inference.training.cohort.stream import Stream

WORDS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
MOST_DAYS: Final = 10
FEVER: Final = 38.0


@dataclass(frozen=True, slots=True)
class Chart:
    """A child, and the findings as they were charted (keys of `symptoms.FINDINGS`)."""

    child: Child
    findings: dict[str, bool]

    @property
    def is_check(self) -> bool:
        """Whether the child came without complaints, before an operation or after an injury."""
        return self.child.group == "check"


def field_words(chart: Chart, grammar: Grammar, stream: Stream) -> dict[str, str]:
    """Return the words for the fields of the wordings, the same through one note."""
    child, forms = chart.child, grammar.tables["forms"]
    girl = child.values["female"] == 1
    days = min(MOST_DAYS, max(1, round(child.days)))
    return {
        "age": age_words(child.values["age"], grammar, stream),
        "child": stream.pick(forms["girl" if girl else "boy"]),
        "he": "she" if girl else "he",
        "his": "her" if girl else "his",
        "him": "her" if girl else "him",
        "parent": stream.pick(forms["parent"]),
        "n": str(days),
        "days": day_words(days, grammar, stream),
        "longer": day_words(min(MOST_DAYS, days + stream.between(0, 3)), grammar, stream),
        "side": stream.pick(forms["right" if stream.chance(number("note.right_side")) else "left"]),
        "zone": stream.pick(forms["zone"]),
        "past_months": str(stream.between(3, max(4, int(child.values["age"]) - 6))),
        "clock": f"{stream.between(0, 23):02d}:{stream.between(0, 59):02d}",
        **measured_words(child, stream),
    }


def age_words(months: float, grammar: Grammar, stream: Stream) -> str:
    """Return the age as a note states it: in months for the youngest, mostly in years for the others."""
    forms = grammar.tables["forms"]["age_months" if months < 24 else "age_years"]
    return stream.pick(forms).format(months=int(months), years=int(months / 12))


def day_words(days: int, grammar: Grammar, stream: Stream) -> str:
    """Return a number of days in one of the ways it is written."""
    forms = grammar.tables["forms"]
    return stream.pick(forms["one_day"]) if days == 1 else stream.pick(forms["days"]).format(n=days, word=WORDS[days])


def measured_words(child: Child, stream: Stream) -> dict[str, str]:
    """Return the numbers of a note; the home temperature lies a little above the one at triage."""
    in_fahrenheit = stream.chance(number("note.fahrenheit"))
    here = child.values["temperature"]
    peak = min(41.5, max(38.1, here + stream.uniform() * number("note.warmer_at_home")))
    degree = stream.pick(("F", " F") if in_fahrenheit else ("", "", "C", " C"))
    return {
        "t": degrees(here, degree),
        "peak": degrees(peak, degree),
        "sats": f"{child.values['spo2']:.0f}",
        "rr": f"{child.values['respiratory_rate']:.0f}",
        "hr": f"{child.values['heart_rate']:.0f}",
    }


def degrees(celsius: float, unit: str) -> str:
    """Return a temperature with one decimal, in Fahrenheit where the unit says so."""
    return f"{celsius * 1.8 + 32 if unit.endswith('F') else celsius:.1f}{unit}"
