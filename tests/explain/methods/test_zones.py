from __future__ import annotations

import numpy as np
import pytest

from explain.methods.memories import remember
from explain.methods.zones import NAMES, zone_effects, zone_masks
from inference.checkpoint import Checkpoint
from inference.contract import GRID, IMAGE_SIZE, PATCH, PATCHES
from tests.explain.methods.planted import Chart, Planted, Seen, make_case

SPOT = 7 * GRID + 2
"""A patch of the right lower zone."""


def spotted_film() -> np.ndarray:
    """Return a black film with one white patch."""
    film = np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.float32)
    row, column = divmod(SPOT, GRID)
    film[row * PATCH : (row + 1) * PATCH, column * PATCH : (column + 1) * PATCH] = 1
    return film


def sees_the_spot(seen: Seen) -> np.ndarray:
    """Answer by one patch alone."""
    return 0.1 + 0.8 * seen.film[:, SPOT]


def test_every_pixel_lies_in_exactly_one_region() -> None:
    """Covering all regions one by one covers the film once."""
    assert (zone_masks().sum(0) == 1).all()
    assert len(zone_masks()) == len(NAMES)


def test_the_region_that_decides_comes_first(tiny: Checkpoint) -> None:
    """Covering the planted patch takes the answer away, covering any other region does not."""
    explorer = Planted(tiny, sees_the_spot)
    case = make_case(explorer, Chart(film=spotted_film()))
    memory = remember(case, explorer)
    first, *others = zone_effects(case, explorer, memory, np.eye(PATCHES, dtype=np.float32)[SPOT])
    assert first.name == "right lower zone"
    assert first.share == pytest.approx(1.0, abs=0.5)
    assert first.points > 0.5
    assert [other.points for other in others] == pytest.approx([0.0] * (len(NAMES) - 1), abs=1e-6)
