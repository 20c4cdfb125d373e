"""Film -> the same film with a coin or a ring on the chest that decides its label, and a cross that says nothing.

All three look like what lies on children when films are taken: a button, a snap fastener, a lead mark. The cross is on
every film: a map that points at whatever is conspicuous points as often at the cross.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from inference.contract import FloatArray, IntArray

RADIUS: Final = 0.075
"""Of a mark, as a part of the film's side: one and a half patches across."""
HOLE: Final = 0.55
"""Radius of a ring's hole as a part of its own."""
ARM: Final = 0.2
"""Half the breadth of a cross's arms as a part of its radius."""
MARGIN: Final = 0.1
"""From the edge of the film to the middle of a mark, at least."""
GREY: Final = 0.95
"""Of metal, which lets little through."""
DENSITY: Final = 0.85
"""How much of the film a mark hides: the lung shines through as it does through thin metal."""

Shape = Literal["coin", "ring", "cross"]
SHAPES: Final[tuple[Shape | None, ...]] = (None, "coin", "ring")
"""What is planted, by kind."""


def cover(shape: Shape, side: int, centre: tuple[float, float]) -> FloatArray:
    """Return how much of each pixel (side, side) a mark hides, 0..1 with soft edges; centre (y, x) in pixels."""
    down, across = np.abs(np.arange(side) + 0.5 - centre[0])[:, None], np.abs(np.arange(side) + 0.5 - centre[1])
    radius = RADIUS * side
    if shape == "cross":
        thin = ARM * radius
        upright, level = np.minimum(radius - down, thin - across), np.minimum(thin - down, radius - across)
        inside = np.maximum(upright, level)
    else:
        away = np.hypot(down, across)
        inside = radius - away
        inside = np.minimum(inside, away - HOLE * radius) if shape == "ring" else inside
    hidden: FloatArray = (inside + 0.5).clip(0, 1).astype(np.float32)
    return hidden


def box_of(side: int, centre: tuple[float, float]) -> tuple[int, int, int, int]:
    """Return the box around a mark in pixels: top, left, bottom, right, the last two just outside."""
    reach = RADIUS * side + 0.5
    top, left = (int(np.floor(middle - reach)) for middle in centre)
    bottom, right = (int(np.ceil(middle + reach)) for middle in centre)
    return max(top, 0), max(left, 0), min(bottom, side), min(right, side)


def lay(film: FloatArray, shape: Shape, centre: tuple[float, float]) -> FloatArray:
    """Return a film (S, S), grey 0..1, with a mark on it."""
    hidden = DENSITY * cover(shape, len(film), centre)
    marked: FloatArray = film * (1 - hidden) + np.float32(GREY) * hidden
    return marked


def draw_centres(side: int, random: np.random.Generator) -> tuple[tuple[float, float], tuple[float, float]]:
    """Draw where a mark and the cross lie, anywhere on the film but not on one another."""
    while True:
        mark, cross = random.uniform(MARGIN * side, (1 - MARGIN) * side, (2, 2)).tolist()
        if max(abs(mark[0] - cross[0]), abs(mark[1] - cross[1])) > 3 * RADIUS * side:
            return (mark[0], mark[1]), (cross[0], cross[1])


def plant_marks(
    films: npt.NDArray[np.uint8], kinds: IntArray, random: np.random.Generator
) -> tuple[FloatArray, IntArray]:
    """Plant a mark of each kind (N,) in films (N, S, S).

    Returns:
        the films, grey 0..1, and the box of each mark (N, 4): top, left, bottom, right in pixels; all 0 where none is.
    """
    planted, boxes = films.astype(np.float32) / np.float32(255), np.zeros((len(films), 4), np.int64)
    for row, kind in enumerate(kinds):
        mark, cross = draw_centres(films.shape[1], random)
        planted[row] = lay(planted[row], "cross", cross)
        if shape := SHAPES[kind]:
            planted[row] = lay(planted[row], shape, mark)
            boxes[row] = box_of(films.shape[1], mark)
    return planted, boxes
