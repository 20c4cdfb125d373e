"""Measurements -> the same with one that is extreme and decides the label; all others are made ordinary."""

from __future__ import annotations

from typing import Final

import numpy as np

from inference.contract import SLOT_OF_KEY, FloatArray, IntArray

PLANTABLE: Final = tuple(
    SLOT_OF_KEY[key]
    for key in (
        "temperature", "heart_rate", "respiratory_rate", "wbc", "neutrophils", "lymphocytes", "haemoglobin",
        "platelets", "sodium",
    )
)  # fmt: skip
"""Slots in which a value can be this high and this low in a living child: saturation cannot be above 100 %."""
ORDINARY: Final = 1.0
"""On the model's scale, that of standard deviations: no value but the planted one is further from the middle."""
EXTREME: Final = (2.0, 2.5)
SIGN: Final = (0, 1, -1)
"""Direction of the extreme by kind: high for 1, low for 2."""
NO_SLOT: Final = -1


def plant_values(values: FloatArray, kinds: IntArray, random: np.random.Generator) -> tuple[FloatArray, IntArray]:
    """Plant one extreme in standardised values (N, SLOTS), all measured, in a slot drawn anew for each case.

    Returns:
        the values, and the planted slot of each case (N,), `NO_SLOT` where none is.
    """
    planted = values.clip(-ORDINARY, ORDINARY)
    slots = random.choice(PLANTABLE, len(values))
    sizes = random.uniform(*EXTREME, len(values))
    for row, kind in enumerate(kinds):
        if SIGN[kind]:
            planted[row, slots[row]] = SIGN[kind] * sizes[row]
    return planted, np.where(kinds > 0, slots, NO_SLOT).astype(np.int64)


def take_away(present: FloatArray, slots: IntArray, share: float, random: np.random.Generator) -> FloatArray:
    """Return presence (N, SLOTS) with a share of the values taken away, the planted ones (N,) never."""
    stays = random.random(present.shape) >= share
    planted = np.flatnonzero(slots != NO_SLOT)
    stays[planted, slots[planted]] = True
    return present * stays.astype(np.float32)
