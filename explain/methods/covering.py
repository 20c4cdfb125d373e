"""Film of one case -> how far the answer falls when each part of it is covered: the map that is shown.

Windows of 2 x 2 patches are covered one after the other (Zeiler and Fergus 2014, section 4.2), and a patch has the mean
fall of the windows that hold it. The model is asked, not read: what it does with attention inside does not matter, and
the map lies where the pixels lie. A map of its attention is blind here, for the encoder's tokens have long exchanged
what they saw by the time the text looks at them (`mllm-cds explain-check`, the planted patches).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from explain.methods.inputs import CheckInputs
from explain.methods.variants import Mask, ask_covered, falls, patch_mask
from inference.contract import GRID, PATCHES, FloatArray
from inference.explore import Explorer, Memory

SIDE: Final = 2
"""Side of a window in patches, a fifth of the film: smaller ones hide too little for the answer to move."""


def covering_map(case: CheckInputs, explorer: Explorer, memory: Memory) -> FloatArray:
    """Return the fall of the answer's probability for each patch, signed, (PATCHES,); the case has a film."""
    taken = windows()
    points = falls(case, ask_covered(case, explorer, memory, patch_mask(taken)))
    found: FloatArray = (points @ taken / taken.sum(0)).astype(np.float32)
    return found


def windows() -> Mask:
    """Return the patches of each window, (windows, PATCHES): one step of a patch between two.

    They hang over the edge, so that every patch lies in as many: with fewer, one at the edge would have the mean of a
    neighbour alone, and win over the patch that matters.
    """
    steps = GRID + SIDE - 1
    taken = np.zeros((steps * steps, GRID, GRID), bool)
    for place in range(steps * steps):
        row, column = divmod(place, steps)
        taken[place, max(row - SIDE + 1, 0) : row + 1, max(column - SIDE + 1, 0) : column + 1] = True
    return taken.reshape(-1, PATCHES)
