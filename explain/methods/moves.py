"""Changes of single measurements, and the answers of the model to several of them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from explain.methods.inputs import CheckInputs
from explain.methods.reported import LIKELY, as_reported, fits_together
from inference.backends.protocol import Array
from inference.calibrate import DoubleArray
from inference.contract import MEASUREMENTS, FloatArray, Tensor
from inference.explore import Chart, Explorer, Memory

CELLS: Final = frozenset({"wbc", "neutrophils", "lymphocytes"})


@dataclass(frozen=True, slots=True)
class Move:
    """A measurement set to another value: its place in the arrays, the value in its own unit, the distance moved.

    `distance` is in standard deviations of the model's scale.
    """

    place: int
    value: float
    distance: float

    @property
    def key(self) -> str:
        """Key of the quantity."""
        return MEASUREMENTS[self.place].key


Moves = tuple[Move, ...]
"""At most one for each place."""


def length(moves: Moves) -> float:
    """Return how far several moves go together."""
    return sum(move.distance for move in moves)


def joined(moves: Moves, one_more: Move) -> Moves:
    """Return moves with one more, in the order of their places."""
    return tuple(sorted((*moves, one_more), key=lambda move: move.place))


def movable(case: CheckInputs) -> tuple[int, ...]:
    """Return the places of the measurements that were given; age and sex are nobody's to change."""
    return tuple(int(place) for place in np.flatnonzero(np.isfinite(case.recorded)))


def options(case: CheckInputs, place: int, points: Sequence[float]) -> list[Move]:
    """Return the moves of one measurement to these points of the model's scale, as far as they are possible and likely.

    Rounding may make points one value; the value that was recorded is no move.
    """
    slot, recorded = MEASUREMENTS[place], float(case.recorded[place])
    found = (as_reported(slot.key, point) for point in points if abs(point) <= LIKELY)
    values = sorted({value for value in found if value is not None and value != recorded})
    here = slot.standardise(recorded)
    return [Move(place, value, abs(slot.standardise(value) - here)) for value in values]


def possible(case: CheckInputs, moves: Moves) -> bool:
    """Say whether the measurements still fit together after the moves."""
    if not any(move.key in CELLS for move in moves):
        return True
    values = {slot.key: float(case.recorded[place]) for place, slot in enumerate(MEASUREMENTS)}
    values |= {move.key: move.value for move in moves}
    return fits_together({key: value for key, value in values.items() if np.isfinite(value)})


def moved_values(case: CheckInputs, moves: Sequence[Moves]) -> FloatArray:
    """Return the standardised values after each of B lists of moves, (B, SLOTS)."""
    values: FloatArray = case.arrays[Tensor.VALUES].repeat(len(moves), 0)
    for row, several in enumerate(moves):
        for move in several:
            values[row, move.place] = MEASUREMENTS[move.place].standardise(move.value)
    return values


def ask_moved(case: CheckInputs, explorer: Explorer, memory: Memory, moves: Sequence[Moves]) -> DoubleArray:
    """Answer after each of B lists of moves by the fusion alone: probabilities (B, CLASSES)."""
    present, age = (case.arrays[name].repeat(len(moves), 0) for name in (Tensor.VALUE_PRESENT, Tensor.VALUE_AGE))
    return explorer.fused(memory, Chart(moved_values(case, moves), present, age))


def ask_again(case: CheckInputs, explorer: Explorer, moves: Moves) -> DoubleArray:
    """Answer after some moves by the whole graph, as at the bedside: probabilities (1, CLASSES)."""
    arrays: dict[str, Array] = {**case.arrays, Tensor.VALUES: moved_values(case, [moves])}
    return explorer.whole(arrays)
