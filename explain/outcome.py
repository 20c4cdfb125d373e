"""What the second tier found out -> the sentences and rows that say so. Every figure is one that was measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite
from typing import Final

from explain.drawing import rounded
from explain.evidence import Direction, Explanation, MeasurementEvidence, Span
from explain.tested import FINDING, Change, Fidelity, GroupShare, Help, Step
from explain.wording import SMALLEST_POINT, by_points, counted, inside, listed, percent, quoted, reading, signed, term
from inference.contract import DIAGNOSIS_OF_KEY

_PARTS: Final = {
    "image": "marked parts of the film",
    "text": "marked words",
    "structured": "measurements that count most",
}
_RANDOM: Final = {"image": "parts", "text": "words", "structured": "ones"}


@dataclass(frozen=True, slots=True)
class Group:
    """A clinical group with the rows of its members.

    Attributes:
        name: empty where a group is one row that says so itself.
        points: tenths of a point of probability, signed: the tenths of all groups add up.
        length: of its bar, 0..50, the strongest group being 50.
    """

    name: str
    rows: tuple[MeasurementEvidence, ...]
    points: float
    direction: Direction
    length: float


def groups(explanation: Explanation) -> tuple[Group, ...]:
    """Return the rows by clinical group, largest first; those in no group stand alone at the end."""
    shares = explanation.tested.groups if explanation.tested else ()
    exact = [100.0 * share.points for share in shares]
    tenths = rounded(exact, 1)
    strongest = max((abs(points) for points in exact), default=0.0)
    row_of = {row.key: row for row in explanation.measurements}
    found = [_group(share, points, strongest, row_of) for share, points in zip(shares, tenths, strict=True)]
    grouped = {row.key for group in found for row in group.rows}
    rest = [Group("", (row,), 0.0, "neutral", 0.0) for row in explanation.measurements if row.key not in grouped]
    return (*(group for group in found if group.rows), *rest)


def _group(share: GroupShare, points: float, strongest: float, row_of: dict[str, MeasurementEvidence]) -> Group:
    rows = tuple(row_of[key] for key in share.members if key in row_of)
    direction: Direction = "neutral" if points == 0.0 else "for" if points > 0 else "against"
    name = share.name if len(rows) > 1 else ""
    return Group(name, rows, points, direction, 50.0 * abs(100.0 * share.points) / strongest if strongest else 0.0)


def groups_together(explanation: Explanation) -> float:
    """Return what all groups add up to, -1..1."""
    return sum(share.points for share in explanation.tested.groups) if explanation.tested else 0.0


def points(probability: float) -> str:
    """Return a signed difference of probability in whole points: "+12 points", "−1 point", "under 1 point"."""
    if abs(probability) < SMALLEST_POINT:
        return "under 1 point"
    whole = round(100.0 * probability)
    return f"{signed(whole, 0)} point{'' if abs(whole) == 1 else 's'}"


def without(fall: float) -> str:
    """Return what taking a piece of evidence away does to the answer: "−12 points"; `fall` is how far it falls."""
    return points(-fall)


def fidelity_sentence(found: Fidelity) -> str:
    """Say what taking the shown evidence away does, beside random evidence of the same size."""
    return (
        f"Taking away the {_PARTS[found.modality]}, step by step, {_moves(found.comprehensiveness)} on average; random "
        f"{_RANDOM[found.modality]} of the same sizes {_moves(found.random_comprehensiveness, 'it')}. "
        f"{'Stronger' if found.beaten else 'Not stronger'} than {_of(found)}."
    )


def fidelity_short(found: Fidelity) -> str:
    """Return the same in figures: "−31 · random −4 · beats 20 of 20"."""
    marked, chance = (
        signed(round(-100.0 * fall), 0) for fall in (found.comprehensiveness, found.random_comprehensiveness)
    )
    beats = f"beats {found.beaten} of {found.controls}"
    return f"{marked} · random {chance} · {beats}{'' if found.holds else ', withdrawn'}"


def _moves(fall: float, what: str = "the answer") -> str:
    if abs(fall) < SMALLEST_POINT:
        return f"hardly moves {what}" if what != "it" else "hardly move it"
    verb = ("lower" if fall > 0 else "raise") + ("" if what == "it" else "s")
    return f"{verb} {what} {by_points(fall)}"


def _of(found: Fidelity) -> str:
    many = f"{found.beaten} of {counted(found.controls, 'random choice')}"
    return many if found.beaten else f"any of {counted(found.controls, 'random choice')}"


def change_sentence(change: Change, explanation: Explanation) -> str:
    """Say the smallest change found that gives another answer, and which."""
    row_of = {row.key: row for row in explanation.measurements}
    steps = listed([_step(step, row_of) for step in change.steps])
    after = DIAGNOSIS_OF_KEY[change.diagnosis]
    kept = listed([term(DIAGNOSIS_OF_KEY[key]) for key in change.prediction_set]) or "no diagnosis"
    if change.kind == "answer":
        would = f"{term(after)} would be the likeliest ({percent(change.probability)}), and the set would hold {kept}"
    else:
        would = f"{term(after)} would stay the likeliest ({percent(change.probability)}), but the set would hold {kept}"
    return f"{steps[:1].upper()}{steps[1:]}, and everything else the same, {would}."


def _step(step: Step, row_of: dict[str, MeasurementEvidence]) -> str:
    if step.key == FINDING or step.before is None or step.after is None:
        return f"without {quoted(step.name)} in the note"
    row = row_of.get(step.key)
    before, after = (_reading(row, step.unit, value) for value in (step.before, step.after))
    return f"with {inside(step.name)} {after} instead of {before}"


def _reading(row: MeasurementEvidence | None, unit: str, value: float) -> str:
    return f"{value:g} {unit}".strip() if row is None else reading(replace(row, value=value))


def help_sentence(one: Help) -> str:
    """Say what an absent input would be expected to do to the set of diagnoses."""
    if one.size_expected < one.size_before - 0.05:
        before = "1 diagnosis" if one.size_before == 1 else f"{one.size_before} diagnoses"
        return f"expected to narrow the set from {before} to {one.size_expected:.1f} on average"
    return f"expected to leave the set as it is, {max(one.entropy_drop, 0.0):.2f} bits surer on average"


def span_effect(span: Span, explanation: Explanation) -> str:
    """Return what taking a marked span away does to the answer; empty while that is not known."""
    effects = explanation.tested.words if explanation.tested else ()
    found = next((one for one in effects if (one.start, one.end) == (span.start, span.end)), None)
    return "" if found is None else without(found.points)


def zone_effect(name: str, explanation: Explanation) -> str:
    """Return by how many points covering a region moves the answer: "−12"; empty where that was not measured."""
    effects = explanation.tested.zones if explanation.tested else ()
    found = next((one for one in effects if one.name == name), None)
    return "" if found is None else signed(round(-100.0 * found.points), 0)


def fidelity_of(modality: str, explanation: Explanation) -> Fidelity | None:
    """Return the evidence test of a modality; None while there is none, or it was not given."""
    tests = explanation.tested.fidelity if explanation.tested else ()
    return next((one for one in tests if one.modality == modality), None)


def value_shown(row: MeasurementEvidence) -> str:
    """Return a value with its unit, and say so where it is no number."""
    return reading(row) if isfinite(row.value) else "not a number"


def value_at(row: MeasurementEvidence, value: float) -> str:
    """Return another value of the same measurement with its unit."""
    return value_shown(replace(row, value=value))
