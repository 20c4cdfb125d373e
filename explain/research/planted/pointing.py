"""Maps and where the plant lies -> hits: the pointing game (Zhang et al. 2018).

A hit is a map whose strongest place lies in the plant. A map without a strongest place is a miss.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from explain.research.variants import Doubles
from inference.contract import GRID, IMAGE_SIZE, PATCH, IntArray

TOLERANCE: Final = 15 / 1024 * IMAGE_SIZE
"""Around a box, in pixels of the square that the model sees: the usual 15 of a film that is shown 1024 wide."""
MIDDLE: Final = PATCH / 2
"""Of a patch, from its edge."""

Flags = npt.NDArray[np.bool_]


def strongest(maps: Doubles) -> IntArray:
    """Return the strongest part of maps (N, U), (N,); -1 for a map that is the same everywhere."""
    return np.where(np.ptp(maps, axis=1) > 0, maps.argmax(1), -1)


def points_of(parts: IntArray, shift: tuple[float, float] = (0.0, 0.0)) -> Doubles:
    """Return where patches (N,) lie: (N, 2), y and x in pixels; NaN for -1.

    A map that is stretched over the film bilinearly has its maximum in the middle of its strongest patch.

    Args:
        parts: patches, row by row from the top left.
        shift: how far (y, x) from the middle of its patch the encoder's token looks; see `gaze`.
    """
    points = np.stack(np.divmod(parts, GRID), 1) * float(PATCH) + MIDDLE + shift
    points[parts < 0] = np.nan
    return points


def in_box(points: Doubles, boxes: IntArray) -> Flags:
    """Say which points (N, 2) lie in their boxes (N, 4), `TOLERANCE` added on all sides."""
    low, high = boxes[:, :2] - TOLERANCE, boxes[:, 2:] + TOLERANCE
    inside = (points >= low) & (points <= high)
    both: Flags = inside[:, 0] & inside[:, 1]
    return both


def words_in(words: IntArray, offsets: IntArray, spans: IntArray, width: int) -> Flags:
    """Say which words lie wholly within the planted sentence: (N, width).

    Args:
        words: word of each word piece (N, T), below 0 where it is of none.
        offsets: characters of each word piece (N, T, 2).
        spans: characters of the sentence (N, 2).
        width: words of the longest note.
    """
    within = (offsets[..., 0] >= spans[:, :1]) & (offsets[..., 1] <= spans[:, 1:])
    inside, outside = (np.zeros((len(words), width), np.bool_) for _ in range(2))
    rows, places = np.nonzero(words >= 0)
    for flags, chosen in ((inside, within[rows, places]), (outside, ~within[rows, places])):
        flags[rows[chosen], words[rows, places][chosen]] = True
    return inside & ~outside


def picked(parts: IntArray, planted: Flags) -> Flags:
    """Say of which cases the strongest part (N,) is a planted one (N, U)."""
    hits: Flags = (parts >= 0) & planted[np.arange(len(parts)), parts]
    return hits
