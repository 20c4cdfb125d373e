from __future__ import annotations

import numpy as np
import pytest

from explain.research.planted.pointing import TOLERANCE, in_box, picked, points_of, strongest, words_in
from inference.contract import GRID, IMAGE_SIZE, PATCH, PATCHES

SIDE = 24


def draw_boxes(count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Draw boxes of one and a half patches, anywhere within the film."""
    corners = np.random.default_rng(0).integers(0, IMAGE_SIZE - SIDE, (count, 2))
    return np.concatenate([corners, corners + SIDE], 1)


def test_map_that_is_the_box_always_hits() -> None:
    """A map of how much of each patch the box covers points into the box."""
    boxes = draw_boxes(200)
    edges = np.arange(GRID) * PATCH
    parts = [
        (np.minimum(boxes[:, place + 2, None], edges + PATCH) - np.maximum(boxes[:, place, None], edges)).clip(0)
        for place in (0, 1)
    ]
    maps = (parts[0][:, :, None] * parts[1][:, None, :]).reshape(-1, PATCHES).astype(np.float64)

    assert in_box(points_of(strongest(maps)), boxes).all()


def test_random_maps_hit_as_often_as_the_box_is_large() -> None:
    """Chance is the area of the box with its tolerance."""
    boxes = draw_boxes(4000)
    hits = in_box(points_of(strongest(np.random.default_rng(1).random((4000, PATCHES)))), boxes)

    assert hits.mean() == pytest.approx(((SIDE + 2 * TOLERANCE) / IMAGE_SIZE) ** 2, abs=0.012)


def test_map_without_a_strongest_place_misses() -> None:
    """Flat maps point nowhere, not at the corner where a search would begin."""
    everywhere = np.array([[0, 0, IMAGE_SIZE, IMAGE_SIZE]] * 2)

    assert not in_box(points_of(strongest(np.ones((2, PATCHES)))), everywhere).any()
    assert not picked(strongest(np.zeros((2, 3))), np.ones((2, 3), np.bool_)).any()


def test_map_of_tokens_is_read_where_they_look() -> None:
    """A shift moves the point, not the box."""
    assert points_of(np.array([GRID + 2]), (-11.0, 3.0)).tolist() == [[PATCH * 1.5 - 11, PATCH * 2.5 + 3]]


def test_word_counts_that_lies_wholly_in_the_sentence() -> None:
    """A word that reaches beyond the sentence is no hit: it would tell of more than was planted."""
    words = np.array([[-1, 0, 0, 1, 2, -1]])
    offsets = np.array([[(0, 0), (0, 2), (2, 4), (5, 9), (10, 12), (0, 0)]])

    assert words_in(words, offsets, np.array([[2, 9]]), 4).tolist() == [[False, True, False, False]]
    assert not words_in(words, offsets, np.array([[0, 0]]), 4).any()
