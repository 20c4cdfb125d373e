"""Explanation, prediction and a way to read FHIR -> whether every claim can be traced to what it names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from explain.check.documents import NOTE, check_note
from explain.check.figures_of_model import check_figure, check_shares, check_states, measured
from explain.check.problems import Problem
from explain.check.resources import Chart, Read, dicts, inner
from explain.check.text import check_text
from explain.check.values import Stated, check_value
from explain.check.vocabulary import measures
from explain.evidence import Claim, Direction, Explanation, MeasurementEvidence, NoteEvidence
from explain.facts import Fact, QuoteFact, ValueFact
from inference.prediction import Prediction, Verdict

FILM = "film"
RADIOGRAPHS = frozenset({"CR", "DX", "RG"})
REMARKS = frozenset({"", "denied in the note", "about someone else or the past"})


@dataclass(frozen=True, slots=True)
class Report:
    """What was traced.

    Attributes:
        claims: how many there are.
        traced: how many of them hold in every fact and every word.
        problems: of the claims, and of the rows, note and film that the page shows beside them.
    """

    claims: int
    traced: int
    problems: tuple[Problem, ...]


def check_sources(
    explanation: Explanation, prediction: Prediction, read: Read, *, asked_at: datetime | None = None
) -> Report:
    """Trace each claim, row, note and film to the resource it names, and each figure to the model.

    Args:
        explanation: as it is shown.
        prediction: the answer it belongs to.
        read: from a versioned reference to the resource as JSON, or None; also from `Binary/id`.
        asked_at: moment of the question, by which the age is exact; without it the age may be some days off.
    """
    checker = _Checker(explanation, prediction, read, asked_at)
    problems = [list(checker.claim(claim)) for claim in explanation.claims]
    everything = [
        *checker.evidence(),
        *check_shares(explanation, prediction),
        *(one for group in problems for one in group),
    ]
    return Report(len(problems), sum(not group for group in problems), tuple(dict.fromkeys(everything)))


class _Checker:
    """One explanation and its chart."""

    def __init__(self, explanation: Explanation, prediction: Prediction, read: Read, asked_at: datetime | None) -> None:
        self._explanation, self._prediction, self._asked_at = explanation, prediction, asked_at
        named = (explanation.patient, *(row.source for row in explanation.measurements))
        patient = next((source for source in named if source.startswith("Patient/")), "")
        self._chart = Chart(read, patient.partition("/_history/")[0])

    def evidence(self) -> Iterator[Problem]:
        """Yield what is wrong with what the page shows beside the claims."""
        for row in self._explanation.measurements:
            yield from self._row(row)
        if self._explanation.note is not None:
            yield from check_note(self._explanation.note, self._chart)
        yield from self._films()

    def _row(self, row: MeasurementEvidence) -> Iterator[Problem]:
        stated = Stated(row.key, row.value, row.unit, row.taken_at, row.source)
        yield from check_value(stated, self._chart, self._asked_at)
        measure = measures().get(row.key)
        judged = self._prediction.verdict is not Verdict.OUT_OF_SCOPE
        if measure is None or row.name.lower() not in measure.names:
            yield Problem("measurement", row.key, row.source)
        elif judged and row.normal != measure.normal:
            yield Problem("level", row.key, row.source)
        for past in row.history:
            earlier = Stated(row.key, past.value, row.unit, past.taken_at, past.source)
            if any(check_value(earlier, self._chart, self._asked_at)):
                yield Problem("history", row.key, past.source)

    def _films(self) -> Iterator[Problem]:
        image = self._explanation.image
        prior = image.prior if image else None
        for source in (image.source if image else "", prior.source if prior else ""):
            if source:
                yield from self._chart.problems(FILM, source)
                study = self._chart.get(source) or {}
                series = dicts(study.get("series"))
                if study and not any(inner(one, "modality").get("code") in RADIOGRAPHS for one in series):
                    yield Problem("code", FILM, source)

    def claim(self, claim: Claim) -> Iterator[Problem]:
        """Yield why a claim does not hold."""
        for fact in claim.facts:
            yield from self._fact(fact, claim.direction)
            if fact.kind in ("value", "quote", "region") and fact.source not in claim.sources:
                yield Problem("unread", fact.kind, fact.source)
        for source in claim.sources:
            yield from self._chart.problems("source", source)
        yield from check_states(claim, self._explanation, self._prediction)
        allowed = (*self._prediction.reasons, *given_phrases(self._explanation))
        yield from check_text(claim.text, (claim,), allowed, self._explanation.tested)

    def _fact(self, fact: Fact, direction: Direction) -> Iterator[Problem]:
        if fact.kind == "value":
            yield from self._value(fact, direction)
        elif fact.kind == "quote":
            yield from self._quote(fact, direction)
        else:
            yield from check_figure(fact, self._explanation, self._prediction)

    def _value(self, fact: ValueFact, direction: Direction) -> Iterator[Problem]:
        """Compare with the row of the page, which must hold; and its level and pull with the claim's."""
        row = next((row for row in self._explanation.measurements if row.key == fact.key), None)
        if row is None or _shown(row) != (fact.value, fact.unit, fact.normal, fact.taken_at, fact.source, fact.name):
            yield Problem("figure", fact.key, fact.source)
            return
        yield from self._row(row)
        if fact.level != _level(fact):
            yield Problem("level", fact.key, fact.source)
        if direction != "neutral" and self._pull(row) * (1 if direction == "for" else -1) <= 0:
            yield Problem("direction", fact.key, fact.source)

    def _pull(self, row: MeasurementEvidence) -> float:
        """Return which way a value moves the answer: exactly where it was tested, else to first order."""
        groups = self._explanation.tested.groups if self._explanation.tested else ()
        return next((group.points for group in groups if row.key in group.members), row.effect)

    def _quote(self, fact: QuoteFact, direction: Direction) -> Iterator[Problem]:
        note = self._explanation.note
        if note is None or (fact.source, fact.written_at) != (note.source, note.written_at):
            yield Problem("figure", NOTE, fact.source)
            return
        yield from check_note(note, self._chart)
        if fact.words != note.text[fact.start : fact.end] or fact.remark not in REMARKS:
            yield Problem("quotation", NOTE, fact.source)
        if self._marks(note).get((fact.start, fact.end)) != direction:
            yield Problem("direction", NOTE, fact.source)

    def _marks(self, note: NoteEvidence) -> dict[tuple[int, int], str]:
        """Return which way each marked span pulls: as it was measured, once it was."""
        if self._explanation.tested is None:
            return {(span.start, span.end): span.direction for span in note.spans}
        effects = self._explanation.tested.words
        return {(one.start, one.end): "for" if one.points > 0 else "against" for one in effects if one.points}


def given_phrases(explanation: Explanation) -> tuple[str, ...]:
    """Return how the number of measurements may be put into words."""
    number = measured(explanation)
    return (f"{number} measurement" if number == 1 else f"{number} measurements",)


def _shown(row: MeasurementEvidence) -> tuple[object, ...]:
    return (row.value, row.unit, row.normal, row.taken_at, row.source, row.name)


def _level(fact: ValueFact) -> str:
    low, high = (measures()[fact.key].normal or (None, None)) if fact.normal else (None, None)
    if low is None and high is None:
        return ""
    return (
        "high"
        if high is not None and fact.value > high
        else "low"
        if low is not None and fact.value < low
        else "normal"
    )
