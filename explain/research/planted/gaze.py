"""Image encoder -> how far from its patch each token really looks.

The stem halves the film four times, each time with kernels that lie askew of the grid: what token (row, column) sees is
not centred on the patch of that number. Maps of tokens are drawn where their tokens look, or all would seem to miss.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from torch import Tensor

from explain.research.planted.pointing import MIDDLE
from inference.contract import IMAGE_SIZE, PATCH
from inference.model.image import ImageEncoder

LOOKS: Final = 24
DOT: Final = 5
"""Side in pixels of what is brightened."""
BRIGHTER: Final = 0.3
INNER: Final = (0.3, 0.7)
"""Part of the film's side where dots are set: at its edges one side of what a dot changes would be cut off."""


def gaze(encoder: ImageEncoder, images: Tensor) -> tuple[float, float]:
    """Return how far (y, x) in pixels from the middle of their patches tokens look, the mean over films.

    A dot is brightened; the change of the stem's map has its centre at the token that looks at the dot.

    Args:
        encoder: whose stem is looked at.
        images: a few films (N, 1, S, S).
    """
    random = np.random.default_rng(0)
    shifts = []
    with torch.no_grad():
        before = encoder.stem_map(images)
        for _ in range(LOOKS):
            top, left = (int(edge * IMAGE_SIZE) for edge in random.uniform(*INNER, 2))
            dotted = images.clone()
            dotted[:, :, top : top + DOT, left : left + DOT] += BRIGHTER
            change = (encoder.stem_map(dotted) - before).square().sum((0, 1))
            seen = [PATCH * place + MIDDLE for place in centre_of(change)]
            shifts.append((top + DOT / 2 - seen[0], left + DOT / 2 - seen[1]))
    down, across = np.mean(shifts, 0)
    return float(down), float(across)


def centre_of(weight: Tensor) -> tuple[float, float]:
    """Return the centre of a weight (G, G), in rows and columns."""
    places = torch.arange(len(weight), dtype=weight.dtype)
    total = weight.sum()
    return float((weight.sum(1) * places).sum() / total), float((weight.sum(0) * places).sum() / total)
