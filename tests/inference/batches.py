"""Batches of made-up patients as arrays."""

from __future__ import annotations

import numpy as np

from inference.backends.protocol import Array, canary
from inference.contract import Tensor


def random_batch(patients: int, seed: int = 0) -> dict[str, Array]:
    """Patients with random pixels, words and values, everything present."""
    random = np.random.default_rng(seed)
    arrays = {name: np.repeat(array, patients, 0) for name, array in canary().items()}
    for name, array in arrays.items():
        array[...] = random.integers(1, 90, array.shape) if name == Tensor.TOKENS else random.random(array.shape)
    for name in (Tensor.IMAGE_PRESENT, Tensor.TEXT_PRESENT, Tensor.VALUE_PRESENT):
        arrays[name][...] = 1
    return arrays
