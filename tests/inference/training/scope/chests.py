"""Made-up chests and an encoder without a network, so that a gate is fitted in a second."""

from __future__ import annotations

import numpy as np

from inference.contract import FloatArray
from inference.training.scope.draw import Picture, bar, box, clipped, disc, haze
from inference.training.scope.outliers import Pixels, as_seen

CELLS = 16


def draw_chest(rng: np.random.Generator, lungs: float = 0.25) -> Picture:
    """Draw two dark lungs in a grey trunk, a light spine, a heart on one side."""
    shift = complex(*rng.uniform(-0.05, 0.05, 2))
    trunk = 0.55 * box(shift + 0.1j, 0.85, 0.95) + 0.15 * disc(shift + 0.95j, 0.8, 0.4)
    dark = disc(shift - 0.38, lungs, 0.55) + disc(shift + 0.38, lungs, 0.5)
    heart = 0.25 * disc(shift + 0.18 + 0.25j, 0.25, 0.25) + 0.2 * bar(shift - 1j, shift + 1j, 0.06)
    return clipped(trunk - 0.4 * dark + heart + 0.03 * haze(rng, 2))


def draw_chests(count: int, seed: int = 0, lungs: float = 0.25) -> Pixels:
    """Draw films as the model sees them, (N, S, S)."""
    rng = np.random.default_rng(seed)
    return np.stack([as_seen(draw_chest(rng, lungs)) for _ in range(count)])


def encode(films: Pixels) -> FloatArray:
    """Return the grey of 16 cells and how it varies in each, features (N, 32)."""
    side = films.shape[1] // 4
    cells = films[:, : 4 * side, : 4 * side].reshape(len(films), 4, side, 4, side).astype(np.float32) / 255
    features: FloatArray = np.concatenate(
        [cells.mean((2, 4)).reshape(len(films), CELLS), cells.std((2, 4)).reshape(len(films), CELLS)], 1
    )
    return features
