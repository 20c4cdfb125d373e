"""Films -> the features by which the gate judges them, by the graph that serves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from inference.backends import Backend
from inference.backends.protocol import canary
from inference.contract import FloatArray, Tensor
from inference.training.scope.outliers import Pixels

BATCH: Final = 16

Encode = Callable[[Pixels], FloatArray]
"""Films uint8 (N, S, S) -> the features (N, W) that the served graph gives for them."""


def served_encoder(backend: Backend) -> Encode:
    """Return the function from films (N, S, S) to the features that the graph gives for them."""

    def encode(films: Pixels) -> FloatArray:
        parts = [encode_batch(backend, films[start : start + BATCH]) for start in range(0, len(films), BATCH)]
        features: FloatArray = np.concatenate(parts)
        return features

    return encode


def encode_batch(backend: Backend, films: Pixels) -> FloatArray:
    """Run the graph on films of whom nothing else is known; features (B, W)."""
    inputs = {name: np.repeat(array, len(films), 0) for name, array in canary().items()}
    inputs[Tensor.IMAGE] = films[:, None].astype(np.float32) / np.float32(255)
    inputs[Tensor.IMAGE_PRESENT][:] = 1
    features: FloatArray = backend.run(inputs, [Tensor.IMAGE_FEATURE])[Tensor.IMAGE_FEATURE]
    return features
