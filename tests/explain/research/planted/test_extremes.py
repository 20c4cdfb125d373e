from __future__ import annotations

import numpy as np

from explain.research.planted.extremes import EXTREME, NO_SLOT, ORDINARY, PLANTABLE, plant_values, take_away
from inference.contract import SLOTS

VALUES = np.random.default_rng(0).normal(0, 2, (300, SLOTS)).astype(np.float32)
KINDS = np.arange(300) % 3


def test_one_value_is_extreme_and_it_is_the_planted_one() -> None:
    """High for kind 1, low for kind 2, and nothing out of the ordinary for kind 0."""
    planted, slots = plant_values(VALUES, KINDS, np.random.default_rng(1))
    far = np.abs(planted) > ORDINARY

    assert (far.sum(1) == (KINDS > 0)).all()
    assert (slots[KINDS > 0] == far[KINDS > 0].argmax(1)).all()
    assert (slots[KINDS == 0] == NO_SLOT).all()


def test_direction_tells_the_kind() -> None:
    """The planted value alone decides."""
    planted, slots = plant_values(VALUES, KINDS, np.random.default_rng(1))
    rows = np.flatnonzero(KINDS)
    found = planted[rows, slots[rows]]

    assert (np.where(found > 0, 1, 2) == KINDS[rows]).all()
    assert EXTREME[0] <= np.abs(found).min() <= np.abs(found).max() <= EXTREME[1]


def test_slot_is_drawn_anew_for_each_case() -> None:
    """No slot is always the right one to point at."""
    _, slots = plant_values(VALUES, KINDS, np.random.default_rng(1))
    shares = np.bincount(slots[KINDS > 0], minlength=SLOTS) / (KINDS > 0).sum()

    assert set(np.flatnonzero(shares)) == set(PLANTABLE)
    assert shares.max() < 0.25


def test_planted_value_is_never_taken_away() -> None:
    """A share of the others goes, so that the label stays true and absence means nothing."""
    slots = np.where(KINDS > 0, PLANTABLE[3], NO_SLOT)
    kept = take_away(np.ones((300, SLOTS), np.float32), slots, 0.4, np.random.default_rng(2))

    assert kept[KINDS > 0, PLANTABLE[3]].all()
    assert abs(np.delete(kept, PLANTABLE[3], 1).mean() - 0.6) < 0.03
    assert not kept[KINDS == 0, PLANTABLE[3]].all()
