"""Films -> films without the side letters at their edge, so that none is learned."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage  # type: ignore[import-untyped]  # published without types; comes with scikit-learn

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

# Lengths are shares of the film's side; they and the grey levels were set by eye on training films.
STROKE: Final = 0.03
"""Widest stroke of a letter."""
SMALLEST: Final = 0.02
LARGEST: Final = 0.13
SIDE_BAND: Final = 0.2
TOP_BAND: Final = 0.1
LOWEST: Final = 0.65
"""Letters stand above this; the lowest ribs, which look most like them, below."""
BRIGHTER: Final = 40
"""Grey levels a letter is above its surroundings."""
DARK: Final = 125
"""Brightest surroundings of a letter: air and thin soft tissue."""
LONELY: Final = 0.1
"""Share of the ring around a mark that may be as bright as it: a rib goes on beyond its mark, a letter does not."""


def at_edge(box: tuple[slice, slice], side: int) -> bool:
    """Tell whether the middle of a box stands in the side bands or the top band."""
    down, right = ((part.start + part.stop) / 2 / side for part in box)
    return bool(down < TOP_BAND or (down < LOWEST and min(right, 1 - right) < SIDE_BAND))


def like_letter(box: tuple[slice, slice], side: int) -> bool:
    """Tell whether a box has the size of a letter or two."""
    return all(SMALLEST < (part.stop - part.start) / side < LARGEST for part in box)


def stands_alone(mark: Mask, film: Pixels, ground: Pixels, stroke: int) -> bool:
    """Tell whether nothing bright lies next to a mark."""
    near = ndimage.binary_dilation(mark, iterations=max(1, stroke // 4))
    ring = ndimage.binary_dilation(near, iterations=max(1, stroke // 3)) & ~near
    bright = film[ring] > (np.median(ground[mark]) + np.percentile(film[mark], 90)) / 2
    return bool(bright.mean() < LONELY)


def find_marks(film: Pixels, stroke: int) -> Mask:
    """Mark the pixels of letters in a film (S, S)."""
    ground = ndimage.grey_opening(film, (stroke, stroke))
    bright = (film.astype(np.int16) - ground > BRIGHTER) & (ground < DARK)
    # Grown first, so that the strokes of one letter and the letters of one word count as one.
    parts, _ = ndimage.label(ndimage.binary_dilation(bright, iterations=max(1, stroke // 4)), np.ones((3, 3)))
    marks = np.zeros(film.shape, bool)
    for number, box in enumerate(ndimage.find_objects(parts), start=1):
        mark = parts == number
        if at_edge(box, len(film)) and like_letter(box, len(film)) and stands_alone(mark, film, ground, stroke):
            marks |= mark
    return marks


def unmark(film: Pixels) -> Pixels:
    """Paint over bright, lonely, letter-sized marks on dark ground at the edge of a film uint8 (S, S)."""
    stroke = max(3, round(len(film) * STROKE) | 1)
    around = ndimage.binary_dilation(find_marks(film, stroke), iterations=max(1, stroke // 4))
    ground = ndimage.uniform_filter(ndimage.grey_opening(film, (2 * stroke + 1,) * 2), stroke)
    return np.where(around, np.minimum(ground, film), film)
