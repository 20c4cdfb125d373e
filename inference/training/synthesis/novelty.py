"""Films, other films -> how alike the nearest are: whether a made film is a copy. Knows nothing of how it was made."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Similarities = npt.NDArray[np.float32]

COMPARED_SIDE: Final = 64
"""Side in pixels at which films are compared."""
REACH: Final = 3
"""Shifts tried, in pixels to each side."""


def windows(films: npt.NDArray[np.float32], down: int, right: int, reach: int) -> npt.NDArray[np.float32]:
    """Cut the inner window, moved by a shift, out of films (N, S, S), as rows of zero mean and unit length."""
    side = films.shape[-1] - 2 * reach
    rows = films[:, reach + down : reach + down + side, reach + right : reach + right + side].reshape(len(films), -1)
    rows = rows - rows.mean(1, keepdims=True)
    length: npt.NDArray[np.float32] = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: npt.NDArray[np.float32] = rows / np.maximum(length, 1e-6)
    return unit


def nearest_similarity(
    films: Pixels, others: Pixels, same_patient: npt.NDArray[np.bool_] | None = None, reach: int = REACH
) -> tuple[Similarities, npt.NDArray[np.int64]]:
    """Find for each film the other film most like it.

    Likeness is the correlation of what is left when the mean of `others` is taken away, at the best of all shifts:
    1 is a copy. Without that subtraction any two chests are above 0.9.

    Args:
        films: uint8 (N, S, S).
        others: uint8 (M, S, S).
        same_patient: bool (N, M), pairs that are left out.
        reach: greatest shift in pixels.

    Returns:
        The likeness (N,) and which of `others` it was (N,).
    """
    mean = others.mean(0, dtype=np.float32)
    moved, still = films - mean, windows(others - mean, 0, 0, reach)
    best = np.full((len(films), len(others)), -1.0, np.float32)
    for down in range(-reach, reach + 1):
        for right in range(-reach, reach + 1):
            np.maximum(best, windows(moved, down, right, reach) @ still.T, out=best)
    if same_patient is not None:
        best[same_patient] = -1.0
    nearest = best.argmax(1)
    return best[np.arange(len(films)), nearest], nearest


def typical_similarity(films: Pixels, groups: list[str], count: int, seed: int = 0) -> float:
    """Median likeness of a film to the nearest film of another patient, over `count` films drawn from `films`.

    A made film below it is less like any one child's film than two children's films are like each other.
    """
    chosen = np.random.default_rng(seed).permutation(len(films))[:count]
    names = np.array(groups)
    likeness, _ = nearest_similarity(films[chosen], films, names[chosen, None] == names[None, :])
    return float(np.median(likeness))
