"""A sentence -> its tokens: numbers with their units, dates, names of quantities and zones, set phrases, words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from explain.check.vocabulary import measures

MARK_OPEN, MARK_CLOSE = "\ue000", "\ue001"
"""Around what was taken out of the text before it is cut: quotations and diagnoses."""
MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

STATES: Final = (
    r"without being (?:sure|certain)",
    r"with nothing to go on",
    r"without (?:a (?:radiograph|note)|measurements)(?: or (?:a (?:radiograph|note)|measurements))*",
    r"no (?:value or word|value|word) that the model read clearly speaks against",
    r"no part of it carries the model's image evidence",
    r"is spread over it, and no zone stands out",
    r"a reason to doubt it",
    r"its marks are withdrawn, because (?:covering the marked places|taking the marked words away) moved the answer "
    r"no more than chance",
    r"no single value is named, because taking the strongest away moved the answer no more than chance",
    r"lies mostly in",
    r"the model did not assess this case",
    r"it lies outside what the model was trained for",
    r"what was received is shown without marks",
)
"""Phrases that say how things stand; a sentence may use one only where its claim does."""

_UNITS_UNKNOWN: Final = (
    r"mg/dl|g/dl|mg/l|g/l|ug/l|µg/l|ng/ml|ng/l|pg/ml|mmol/l|umol/l|µmol/l|nmol/l|meq/l|iu/l|u/l|"
    r"[× x]*10\^?[*]?\d+/[µu]?l|/[µu]l|k/ul|mmhg|kpa|°f|kg|mg|g|ml|bpm|cells"
)
_NUMBER: Final = r"\d+(?:[.,]\d+)*"


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of a sentence; `parts` are the groups of its pattern, empty strings where one is absent."""

    kind: str
    text: str
    parts: tuple[str, ...] = ()


def _patterns() -> tuple[tuple[str, str], ...]:
    names = sorted((name for one in measures().values() for name in one.names), key=len, reverse=True)
    units = sorted({unit for one in measures().values() for unit in one.written}, key=len, reverse=True)
    unit = "|".join(map(re.escape, units))
    return (
        ("mark", rf"{MARK_OPEN}(\w+){MARK_CLOSE}"),
        ("state", "|".join(STATES)),
        ("date", rf"(\d{{1,2}}) ({'|'.join(MONTHS)})[a-z]* (\d{{4}})(?:,? (?:at )?(\d\d:\d\d)( utc)?)?"),
        ("moment", r"\d{4}-\d\d-\d\d(?:[t ]\d\d:\d\d(?::\d\d)?(?:z|[+-]\d\d:\d\d)?)?|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}"),
        ("clock", r"\d{1,2}:\d\d(?::\d\d)?"),
        ("age", r"(\d+) years?(?:,? (?:and )?(\d+) months?)?|(\d+) months?|(\d+)-years?-olds?"),
        ("points", rf"({_NUMBER}) (?:percentage )?points?"),
        ("percent", rf"(?:(under|over) )?({_NUMBER}) ?(?:%|per ?cent)"),
        ("range", rf"({_NUMBER}) ?(?:–|-|to) ?({_NUMBER})(?: ?(?:{unit}))?"),
        ("limit", rf"(up to|from) ({_NUMBER})(?: ?(?:{unit}))?"),
        ("number", rf"({_NUMBER}) ?({unit}|(?:{_UNITS_UNKNOWN})(?![a-z]))?"),
        ("zone", r"(?:right|left) (?:upper|middle|lower) zone|centre \(mediastinum\)|outside the lungs"),
        ("whole", r"measurements, age and sex(?: together)?|age and sex together"),
        ("name", "|".join(rf"(?<![\w-]){re.escape(name)}(?![\w-])" for name in names)),
        ("level", r"within (?:the )?normal|above (?:the )?normal(?: range)?|below (?:the )?normal(?: range)?"),
        ("word", r"[a-z]+(?:['/-][a-z0-9]+)*"),
        ("stop", r"[.;:](?!\d)"),
        ("sign", r"[,()]"),
        ("blank", r"\s+"),
        ("other", r"."),
    )


@cache
def _scanner() -> tuple[re.Pattern[str], tuple[str, ...]]:
    pairs = _patterns()
    return re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in pairs)), tuple(kind for kind, _ in pairs)


def tokens(text: str) -> Iterator[Token]:
    """Cut a sentence, in lower case, into tokens; blanks are left out."""
    pattern, kinds = _scanner()
    for match in pattern.finditer(text):
        kind = next(kind for kind in kinds if match[kind] is not None)
        if kind != "blank":
            yield Token(kind, match[kind], _parts(match, kind))


def _parts(match: re.Match[str], kind: str) -> tuple[str, ...]:
    """Return the groups inside the alternative that matched."""
    first = match.re.groupindex[kind]
    behind = min((place for place in match.re.groupindex.values() if place > first), default=match.re.groups + 1)
    return tuple(match[place] or "" for place in range(first + 1, behind))
