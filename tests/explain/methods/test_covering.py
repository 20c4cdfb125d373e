from __future__ import annotations

import numpy as np
import pytest

from explain.methods.covering import SIDE, covering_map, windows
from explain.methods.memories import remember
from inference.checkpoint import Checkpoint
from inference.contract import GRID, IMAGE_SIZE, PATCH, PATCHES
from tests.explain.methods.planted import Chart, Planted, Seen, make_case

SPOT = 7 * GRID + 2


def film_with_a_spot() -> np.ndarray:
    film = np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.float32)
    row, column = divmod(SPOT, GRID)
    film[row * PATCH : (row + 1) * PATCH, column * PATCH : (column + 1) * PATCH] = 1
    return film


def test_every_patch_lies_in_as_many_windows() -> None:
    """At the edge the windows hang over."""
    taken = windows()

    assert taken.sum(1).max() == SIDE * SIDE
    assert (taken.sum(0) == SIDE * SIDE).all()


def test_the_map_is_strongest_where_covering_costs_the_answer(tiny: Checkpoint) -> None:
    """The planted patch is pointed at, and what is far from it has nothing."""
    explorer = Planted(tiny, lambda seen: 0.1 + 0.8 * seen.film[:, SPOT])
    case = make_case(explorer, Chart(film=film_with_a_spot()))

    found = covering_map(case, explorer, remember(case, explorer))

    assert int(found.argmax()) == SPOT
    assert np.abs(found[: PATCHES // 2]).max() == pytest.approx(0, abs=1e-6)


def test_what_speaks_against_the_answer_is_below_zero(tiny: Checkpoint) -> None:
    """Covered, the answer would be more probable."""

    def against(seen: Seen) -> np.ndarray:
        return 0.9 - 0.2 * seen.film[:, SPOT]

    explorer = Planted(tiny, against)
    case = make_case(explorer, Chart(film=film_with_a_spot()))

    assert int(covering_map(case, explorer, remember(case, explorer)).argmin()) == SPOT
