"""Explained cases and their charts -> how many claims can be traced, and how many changed charts are noticed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from explain.check.problems import Problem
from explain.check.resources import Resource
from explain.check.sources import check_sources
from explain.check.tamper import Tampering, is_used, reader_of, tamper
from explain.evidence import Explanation
from inference.prediction import Prediction


@dataclass(frozen=True, slots=True)
class NarrativeCase:
    """One explained case; `bundle` holds every resource of the patient, each in the version that was explained."""

    prediction: Prediction
    explanation: Explanation
    bundle: Resource
    asked_at: datetime


@dataclass(slots=True)
class Counts:
    """What the two shares were counted from.

    Attributes:
        problems: what kept claims, or what is shown beside them, from being traced.
        missed: changes of what an explanation states that were not noticed.
    """

    cases: int = 0
    claims: int = 0
    traced: int = 0
    tampered: int = 0
    found: int = 0
    problems: list[Problem] = field(default_factory=list)
    missed: list[Tampering] = field(default_factory=list)


def narrative_figures(cases: Iterable[NarrativeCase]) -> tuple[float, float, Counts]:
    """Return `claims_traced` and `tampering_found`, 0..1 each, and the counts behind them.

    A chart counts as tampered with where one thing was changed that its explanation states.

    Raises:
        ValueError: there is no claim, or nothing to change.
    """
    counts = Counts()
    for case in cases:
        _count(case, counts)
    if not counts.claims or not counts.tampered:
        raise ValueError("there is nothing to check: give explained cases with the charts they came from")
    return counts.traced / counts.claims, counts.found / counts.tampered, counts


def _count(case: NarrativeCase, counts: Counts) -> None:
    report = check_sources(case.explanation, case.prediction, reader_of(case.bundle), asked_at=case.asked_at)
    counts.cases += 1
    counts.claims += report.claims
    counts.traced += report.traced
    counts.problems += report.problems
    for change, changed in tamper(case.bundle):
        if is_used(change, case.explanation, case.bundle):
            after = check_sources(case.explanation, case.prediction, reader_of(changed), asked_at=case.asked_at)
            noticed = bool(set(after.problems) - set(report.problems))
            counts.tampered += 1
            counts.found += noticed
            counts.missed += [] if noticed else [change]
