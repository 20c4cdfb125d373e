"""One case -> the smallest change of what is known that would give another answer.

One measurement is tried first, over its whole likely range, or one marked finding of the note not mentioned; then two
measurements together, then three, going on from the most promising. So the fewest changes are found first; that no
shorter way exists with two or three is likely, not certain. Film, age and sex stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from explain.methods.inputs import CheckInputs
from explain.methods.moves import Move, Moves, ask_again, ask_moved, joined, length, movable, options, possible
from explain.methods.reported import LIKELY
from explain.methods.variants import answer_place
from explain.methods.words import Mark
from explain.tested import FINDING, Change, Step
from fhir_adapter.measurements.quantities import QUANTITY_OF_KEY
from inference.calibrate import DoubleArray, mask_of, prediction_set
from inference.contract import CLASSES, DIAGNOSES, MEASUREMENTS
from inference.explore import Explorer, Memory

MOST_STEPS: Final = 3
FINE: Final = tuple(np.arange(-LIKELY, LIKELY + 1e-9, 0.25).tolist())
COARSE: Final = FINE[::4]
BEAM: Final = 6
"""From how many changes the search for one more goes on."""
BETWEEN: Final = 12
"""Points tried when a change that was found is made smaller, …"""
CLOSE: Final = 0.5
"""… at last over this many standard deviations."""
TRIED: Final = 3
"""Changes confirmed by the whole graph before none is claimed."""
FINDING_DISTANCE: Final = 1.0
"""A finding not mentioned counts as one standard deviation."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A change that gives another answer; `moves` is empty where it is the finding `mark` not mentioned."""

    moves: Moves
    mark: Mark | None
    kind: str
    shares: DoubleArray

    @property
    def order(self) -> tuple[bool, float]:
        """Another answer before another set, then the shorter way."""
        return self.kind != "answer", length(self.moves) if self.mark is None else FINDING_DISTANCE


class Search:
    """Looks for the change in one case."""

    def __init__(self, case: CheckInputs, explorer: Explorer, memory: Memory) -> None:
        self.case, self.explorer, self.memory = case, explorer, memory
        self.quantile = explorer.checkpoint.calibration.quantiles[mask_of(case.modalities)]

    def find(self, marks: Sequence[Mark], without_marks: DoubleArray) -> Change | None:
        """Return the change, confirmed by running the whole graph; None where there is none.

        Args:
            marks: the spans of the note that count.
            without_marks: probabilities (marks, CLASSES) without each of them.
        """
        found = list(self.findings(marks, without_marks))
        several: list[Moves] = [()]
        for steps in range(1, MOST_STEPS + 1):
            several = [*self.next_moves(several, FINE if steps == 1 else COARSE)]
            if not several and not found:
                return None
            shares = self.ask(several)
            found += self.outcomes(several, shares)
            for outcome in sorted(found, key=lambda one: one.order)[:TRIED]:
                if confirmed := self.confirm(self.shorten(outcome)):
                    return self.told(confirmed)
            found, several = [], self.promising(several, shares)
        return None

    def findings(self, marks: Sequence[Mark], without_marks: DoubleArray) -> Iterator[Outcome]:
        """Yield the marked findings without which the answer is another."""
        for mark, shares in zip(marks, without_marks, strict=True):
            if mark.words and (kind := self.kind_of(shares)):
                yield Outcome((), mark, kind, shares)

    def next_moves(self, several: Sequence[Moves], points: Sequence[float]) -> Iterator[Moves]:
        """Yield each of the moves with one more measurement moved, each combination once."""
        seen = set()
        by_place = {place: options(self.case, place, points) for place in movable(self.case)}
        for moves in several:
            taken = {move.place for move in moves}
            for place in by_place.keys() - taken:
                for option in by_place[place]:
                    longer = joined(moves, option)
                    if longer not in seen and possible(self.case, longer):
                        seen.add(longer)
                        yield longer

    def ask(self, several: Sequence[Moves]) -> DoubleArray:
        """Answer after each of the moves, (len(several), CLASSES)."""
        if not several:
            return np.zeros((0, CLASSES))
        return ask_moved(self.case, self.explorer, self.memory, several)

    def outcomes(self, several: Sequence[Moves], shares: DoubleArray) -> Iterator[Outcome]:
        """Yield the moves after which the answer is another."""
        for moves, row in zip(several, shares, strict=True):
            if kind := self.kind_of(row):
                yield Outcome(moves, None, kind, row)

    def kind_of(self, shares: DoubleArray) -> str:
        """Return "answer" where another diagnosis is likeliest, "set" where the set is another, else nothing."""
        if int(shares.argmax()) != answer_place(self.case):
            return "answer"
        return "set" if self.set_of(shares) != self.case.prediction_set else ""

    def set_of(self, shares: DoubleArray) -> tuple[str, ...]:
        """Return the keys of the prediction set."""
        return tuple(DIAGNOSES[place].key for place in prediction_set(shares, self.quantile))

    def promising(self, several: Sequence[Moves], shares: DoubleArray) -> list[Moves]:
        """Return the moves that bring another diagnosis nearest, the best of each choice of measurements."""
        answer = answer_place(self.case)
        lead = shares[:, answer] - np.delete(shares, answer, 1).max(1)
        best: dict[tuple[int, ...], Moves] = {}
        for row in np.argsort(lead, kind="stable"):
            best.setdefault(tuple(move.place for move in several[row]), several[row])
        return list(best.values())[:BEAM]

    def shorten(self, outcome: Outcome) -> Outcome:
        """Move each measurement back as far as the answer allows: first over the whole way, then closer."""
        for reach in (2 * LIKELY, CLOSE):
            for place in [move.place for move in outcome.moves]:
                outcome = self.shortened_at(outcome, place, reach)
        return outcome

    def shortened_at(self, outcome: Outcome, place: int, reach: float) -> Outcome:
        """Return the outcome with one measurement moved back by up to `reach`, as far as keeps its kind."""
        others = tuple(move for move in outcome.moves if move.place != place)
        now = next(move for move in outcome.moves if move.place == place)
        shorter = [joined(others, option) for option in self.before(now, reach)]
        several = [moves for moves in shorter if possible(self.case, moves)]
        if not several:
            return outcome
        found = [one for one in self.outcomes(several, self.ask(several)) if one.kind == outcome.kind]
        return min([outcome, *found], key=lambda one: one.order)

    def before(self, move: Move, reach: float) -> list[Move]:
        """Return shorter moves of the same measurement, at most `reach` short of this one."""
        ahead = 1 if move.value > self.case.recorded[move.place] else -1
        there = MEASUREMENTS[move.place].standardise(move.value)
        points = there - ahead * np.linspace(0.0, min(reach, move.distance), BETWEEN)
        return [one for one in options(self.case, move.place, points.tolist()) if one.distance < move.distance]

    def confirm(self, outcome: Outcome) -> Outcome | None:
        """Run the whole graph on the changed case; answers without a finding already come from it."""
        if outcome.mark is not None:
            return outcome
        shares = ask_again(self.case, self.explorer, outcome.moves)[0]
        kind = self.kind_of(shares)
        return Outcome(outcome.moves, None, kind, shares) if kind == outcome.kind else None

    def told(self, outcome: Outcome) -> Change:
        """Return an outcome in words and units."""
        if outcome.mark is None:
            steps = tuple(self.step(move) for move in outcome.moves)
        else:
            steps = (Step(FINDING, outcome.mark.words, None, None, ""),)
        top = int(outcome.shares.argmax())
        return Change(steps, outcome.kind, DIAGNOSES[top].key, float(outcome.shares[top]), self.set_of(outcome.shares))

    def step(self, move: Move) -> Step:
        """Return one move in the measurement's own unit."""
        quantity = QUANTITY_OF_KEY[move.key]
        return Step(quantity.key, quantity.name, float(self.case.recorded[move.place]), move.value, quantity.unit)
