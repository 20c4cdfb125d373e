from __future__ import annotations

import numpy as np
import pytest

from explain.research.planted.marks import SHAPES, Shape, box_of, draw_centres, lay, plant_marks
from inference.contract import FloatArray

SIDE = 160
FILM = np.random.default_rng(0).random((SIDE, SIDE)).astype(np.float32)


def changed_box(before: FloatArray, after: FloatArray) -> tuple[int, int, int, int]:
    """Return the smallest box around what differs."""
    rows, columns = np.nonzero(before != after)
    return int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1


@pytest.mark.parametrize("shape", ["coin", "ring", "cross"])
@pytest.mark.parametrize("centre", [(80.0, 40.0), (16.3, 16.7), (143.9, 100.2)])
def test_mark_changes_its_box_and_nothing_else(shape: Shape, centre: tuple[float, float]) -> None:
    """What the box says is what was planted, to a pixel of softness; the rest of the film is untouched."""
    inner, outer = changed_box(FILM, lay(FILM, shape, centre)), box_of(SIDE, centre)

    assert all(low <= found for low, found in zip(outer[:2], inner[:2], strict=True))
    assert all(found <= high for found, high in zip(inner[2:], outer[2:], strict=True))
    assert max(abs(one - other) for one, other in zip(inner, outer, strict=True)) <= 1


def test_ring_has_a_hole() -> None:
    """The two kinds differ in their middle alone."""
    coin, ring = lay(FILM, "coin", (80, 80)), lay(FILM, "ring", (80, 80))

    assert ring[80, 80] == FILM[80, 80] != coin[80, 80]
    assert changed_box(FILM, coin) == changed_box(FILM, ring)


def test_marks_never_lie_on_the_cross() -> None:
    """A cross over a coin would be a third kind of mark."""
    random = np.random.default_rng(1)
    pairs = [draw_centres(SIDE, random) for _ in range(200)]
    boxes = [(box_of(SIDE, mark), box_of(SIDE, cross)) for mark, cross in pairs]

    assert not any(a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3] for a, b in boxes)


def test_film_of_kind_0_has_the_cross_alone() -> None:
    """Without a mark there is no box, and what is on the film does not tell."""
    pixels = np.full((2, SIDE, SIDE), 100, np.uint8)
    planted, boxes = plant_marks(pixels, np.array([0, 1]), np.random.default_rng(2))

    assert SHAPES[0] is None
    assert (boxes[0] == 0).all()
    assert (boxes[1] > 0).all()
    assert (planted[0] != planted[0, 0, 0]).sum() < (planted[1] != planted[1, 0, 0]).sum()
