"""Rules for dates and for ages over 89 (item C of the Safe Harbor list).

A bare year stays, and so do times of day, weekdays, and times that count from the visit ("3 days ago", "day 3").
Look-behinds stand after the first digit: so the search skips from digit to digit.
"""

from __future__ import annotations

from typing import Final

from fhir_adapter.deidentify.rule import AGE, DATE, any_word, rule

_DAY: Final = r"(?:0?[1-9]|[12]\d|3[01])"
_NUMBER: Final = r"(?:0?[1-9]|1[0-2])"
_YEAR: Final = r"(?:19|20)\d\d"
_TIME: Final = r"(?:T\d\d:?\d\d(?::?\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?"
_NAMES: Final = (
    "January", "February", "March", "April", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def _month() -> str:
    """Return the months in capitals or with one: in small letters "may", "mar" and "dec" are other words."""
    short = [*(name[:3] for name in _NAMES), "Sept"]
    forms = sorted({form for name in (*_NAMES, *short) for form in (name, name.upper())}, key=len, reverse=True)
    # "give 2 May repeat": the verb is told from the month by the word behind it.
    may = r"(?:May|MAY)(?![ ](?!(?:at|and|with|on|for|to|in|by|was)\b)[a-z])"
    return rf"(?:{'|'.join(forms)}|{may})(?!\w)\.?"


_MONTH: Final = _month()
_SMALL: Final = f"(?:may|{'|'.join(_NAMES).lower()})"
_BEFORE_MONTH: Final = any_word("in since last until till from early late mid this next by end_of beginning_of")
_BEFORE_DAY: Final = any_word("on since dated from until till mon tue wed thu fri sat sun date:? dob:?")
_WEEKDAY_END: Final = r"(?:day|sday|nesday|rsday|urday)?"
_NO_DOSE: Final = any_word("mg ml kg g mcg l % x / h")
_SPAN: Final = r"(?:\d|1[0-2])/(?:7|12)(?!\d)"
"""Shorthand for so many days or months; that hides the days 1 to 12 of July and December when no year is there."""
_NO_PART: Final = any_word("tab tsp of ns strength saline dose cup murmur power normal day week ago")

DATE_RULES: Final = (
    rule("C", "date, year first, also with a time", DATE,
         rf"{_YEAR}(?<![\d.]\d{{4}})([-/.]){_NUMBER}\1{_DAY}{_TIME}(?!\d)"),
    # An Apgar score has three numbers as well.
    rule("C", "date in numbers, year last", DATE,
         r"\d(?<![\d/.\-]\d)(?<![Pp]gar[ :]\d)(?<!PGAR[ :]\d)\d?([/.])",
         rf"{_DAY}\1(?:{_YEAR}|\d\d)(?![\d/]|[.\-]\d)"),
    rule("C", "date in numbers and hyphens, year last", DATE,
         rf"\d(?<![\d/.\-]\d)\d?-{_DAY}-{_YEAR}(?![\d/\-])"),
    rule("C", "date in eight digits, also with a time", DATE,
         rf"{_YEAR}(?<![\d.]\d{{4}})(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:\d{{4,6}}(?:[+-]\d{{4}})?)?(?![\d.]?\d)"),
    rule("C", "day, then the name of the month", DATE,
         rf"\d(?<![\d.]\d)\d?(?:st|nd|rd|th)?(?:[ ]of)?[ \-]{{0,2}}{_MONTH}(?:[ ,\-]{{0,2}}(?:{_YEAR}|'\d\d)(?!\d))?"),
    rule("C", "day, small name of the month, year", DATE,
         rf"\d(?<![\d.]\d)\d?(?:st|nd|rd|th)?(?:[ ]of)?[ \-]{{0,2}}{_SMALL}[ ,\-]{{0,2}}{_YEAR}(?!\d)"),
    rule("C", "name of the month, then the day", DATE,
         rf"(?:{_MONTH})[ ]?{_DAY}(?:st|nd|rd|th)?(?!\w|[.:]?\d|[ ]?{_NO_DOSE})(?:,?[ ]{_YEAR}(?!\d))?"),
    rule("C", "month of a year", DATE, rf"\b(?:{_MONTH}|{_SMALL})[ ,]{{1,2}}(?:of[ ])?{_YEAR}(?!\d)"),
    rule("C", "month of a year in numbers", DATE, rf"\d(?<![\d/.]\d)\d?/{_YEAR}(?![\d/])"),
    rule("C", "name of a month after a word such as since", DATE, rf"\b{_BEFORE_MONTH}[ \-](?P<x>{_MONTH})"),
    rule("C", "day and month in numbers after a word such as on", DATE,
         rf"\b{_BEFORE_DAY}{_WEEKDAY_END}[ ,]{{1,2}}",
         rf"(?!{_SPAN})(?P<x>{_DAY}/{_NUMBER}|{_NUMBER}/{_DAY})(?![/.\d%]|[ ]?{_NO_PART})"),
    rule("C", "day of the month after the words on the", DATE,
         r"\b(?i:on[ ]the)[ ](?P<x>\d{1,2}(?:st|nd|rd|th))(?=[ ]?(?:[.,;)\n]|of\b|at\b|$))"),
    rule("C", "age over 89", AGE,
         r"(?:9\d(?<![\w./]\d\d)|1[0-2]\d(?<![\w./]\d\d\d))[ \-]?",
         r"(?:(?i:years?|yrs?)[ \-]?(?i:old)?|[yY]\.?/?[oO]?)(?!\w)(?![ ]?(?i:months|ago))"),
    rule("C", "age over 89 after the word", AGE,
         r"\b(?i:aged?:?)[ ](?P<x>9\d|1[0-2]\d)(?![ ]?(?i:months?|m|mo|weeks?|days?|hours?|th)\b|[ ]?%|[.,/]?\d)"),
)  # fmt: skip
