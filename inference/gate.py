"""Pooled image feature -> how far it lies from the films the model was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from inference.contract import FloatArray
from inference.manifest import CheckpointError

DoubleArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ImageGate:
    """Mahalanobis gate: mean (W,) and precision (W, W) of the training features, and the distance still accepted."""

    mean: DoubleArray
    precision: DoubleArray
    threshold: float

    @classmethod
    def load(cls, path: Path, threshold: float) -> ImageGate:
        """Read `mean` and `precision` from an .npz file.

        Raises:
            CheckpointError: the file has no such arrays, or they do not fit together.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                mean, precision = arrays["mean"].astype(np.float64), arrays["precision"].astype(np.float64)
        except (OSError, ValueError, KeyError) as error:
            raise CheckpointError(f"{path} has no readable arrays `mean` and `precision`: export again") from error
        if mean.ndim != 1 or precision.shape != (mean.size, mean.size):
            raise CheckpointError(f"{path}: `mean` must be (W,) and `precision` (W, W): export again")
        return cls(mean, precision, threshold)

    def distance(self, features: FloatArray) -> DoubleArray:
        """Return the Mahalanobis distance of features (..., W), in standard deviations."""
        away = features.astype(np.float64) - self.mean
        # A precision that is rounded to float32 may give a square a hair below 0 near the mean.
        squares: DoubleArray = np.einsum("...i,ij,...j->...", away, self.precision, away).clip(min=0)
        return np.sqrt(squares)

    def accepts(self, feature: FloatArray) -> bool:
        """Say whether one feature (W,) lies within the threshold."""
        return bool(self.distance(feature) <= self.threshold)
