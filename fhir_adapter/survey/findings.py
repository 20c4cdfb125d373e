"""What one check found. Knows neither servers nor how it is printed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Verdict(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    """Works, with something to know."""
    MISSING = "missing"
    """The server does not have something that is needed."""
    FAILED = "failed"
    """Something that should work does not."""
    SKIPPED = "skipped"
    """Not looked at; the sentence says why."""


_BAD: Final = frozenset({Verdict.MISSING, Verdict.FAILED})


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; nothing in it names a patient or quotes a record.

    Attributes:
        part: name of the check, one of `survey.checks.CHECKS`.
        verdict: how it ended.
        sentence: what was seen.
        ms: milliseconds that it took, where that means something.
        advice: a whole sentence to the administrator of the site; empty where nothing is to be done.
    """

    part: str
    verdict: Verdict
    sentence: str
    ms: float | None = None
    advice: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing that is needed is missing or broken here."""
        return self.verdict not in _BAD


def shown(text: str, longest: int = 60) -> str:
    """Return a server's own words for a terminal: without control characters, and cut."""
    return "".join(char for char in text if char.isprintable())[:longest]


def skipped(part: str, why: str) -> Finding:
    """Return the finding of a check that was not made."""
    return Finding(part, Verdict.SKIPPED, why)
