"""Pooled image feature -> whether the film is one the model is for, and what it looks like where it is not.

Two views of the feature add up to one score. A linear classifier knows things that are not in scope (an adult's film,
a turned one, an inverted one, something else than a chest). The Mahalanobis distance from the training films is for
what nobody thought of. This module knows neither films nor how the gate was fitted (`inference.training.scope`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from inference.contract import FloatArray
from inference.manifest import CheckpointError

DoubleArray = npt.NDArray[np.float64]

ADULT, TURNED, INVERTED, OTHER = "adult", "turned", "inverted", "other"
"""Kinds of things a gate may know that are not in scope."""
NAMED_FROM: Final = 0.9
"""Probability from which on a refused film is called what it looks like; below it is only said to be unlike others."""
FAR: Final = 8.0
"""Deviations beyond which the classifier looks no further: a line that is drawn on may lead back into the scope."""


@dataclass(frozen=True, slots=True, eq=False)
class GateArrays:
    """What scope.npz holds: W features, K kinds.

    Attributes:
        centre, scale: mean and deviation of the training films' features, (W,).
        kinds: names of the kinds, (K,).
        weight, bias: linear classifier on standardised features, (W, K + 1) and (K + 1,); class 0 is "in scope".
        mean, precision: of the standardised training features, (W,) and (W, W).
        middle, spread: median and reach of both views on films in scope, (2,): classifier, distance.
    """

    centre: DoubleArray
    scale: DoubleArray
    kinds: npt.NDArray[np.str_]
    weight: DoubleArray
    bias: DoubleArray
    mean: DoubleArray
    precision: DoubleArray
    middle: DoubleArray
    spread: DoubleArray

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read them.

        Raises:
            CheckpointError: one is missing, or they do not fit together.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                found = {name: file[name] for name in cls.__dataclass_fields__}
            arrays = cls(
                **{name: array if name == "kinds" else array.astype(np.float64) for name, array in found.items()}
            )
        except (OSError, ValueError, KeyError) as error:
            raise CheckpointError(
                f"{path} has not all of {', '.join(cls.__dataclass_fields__)}: train the checkpoint again"
            ) from error
        if not arrays.fit_together():
            raise CheckpointError(f"{path}: its arrays are not of one width and one number of kinds: train it again")
        return arrays

    def fit_together(self) -> bool:
        """Say whether every array has its shape."""
        width, classes = self.centre.size, self.kinds.size + 1
        shapes = {
            "centre": (width,),
            "scale": (width,),
            "kinds": (classes - 1,),
            "weight": (width, classes),
            "bias": (classes,),
            "mean": (width,),
            "precision": (width, width),
            "middle": (2,),
            "spread": (2,),
        }
        return all(getattr(self, name).shape == shape for name, shape in shapes.items())

    def save(self, path: Path) -> None:
        """Write them, numbers in single precision."""
        arrays = {name: getattr(self, name) for name in self.__dataclass_fields__}
        single = {name: array if name == "kinds" else array.astype(np.float32) for name, array in arrays.items()}
        np.savez_compressed(path, allow_pickle=False, **single)


@dataclass(frozen=True, slots=True, eq=False)
class ImageGate:
    """The gate: its arrays, and the score that is still accepted."""

    arrays: GateArrays
    threshold: float

    @classmethod
    def load(cls, path: Path, threshold: float) -> Self:
        """Read scope.npz.

        Raises:
            CheckpointError: it is not readable as `GateArrays`.
        """
        return cls(GateArrays.load(path), threshold)

    @property
    def kinds(self) -> tuple[str, ...]:
        """What it knows that is not in scope; `adult` is missing where it was fitted without films of adults."""
        return tuple(str(kind) for kind in self.arrays.kinds)

    def score(self, features: FloatArray) -> DoubleArray:
        """Return how little features (..., W) are like films in scope: 0 and near it for those, no upper end.

        Neither view can make up for the other: one that finds nothing odd counts as 0, not as less.
        """
        views = np.stack([log_odds(self.logits(features)), self.distance(features)], -1)
        added: DoubleArray = ((views - self.arrays.middle) / self.arrays.spread).clip(min=0).sum(-1)
        return added

    def accepts(self, feature: FloatArray) -> bool:
        """Say whether one feature (W,) lies within the threshold; one that is no number does not."""
        return bool(self.score(feature) <= self.threshold)

    def looks_like(self, feature: FloatArray) -> str | None:
        """Return the kind that one feature (W,) surely is of, or None where that cannot be told."""
        logits = self.logits(feature)
        shares = np.exp(logits - logits.max())
        shares = shares / shares.sum()
        likeliest = int(shares.argmax())
        return self.kinds[likeliest - 1] if likeliest > 0 and shares[likeliest] >= NAMED_FROM else None

    def standardise(self, features: FloatArray) -> DoubleArray:
        """Return features (..., W) as deviations from the mean training film."""
        deviations: DoubleArray = (features.astype(np.float64) - self.arrays.centre) / self.arrays.scale
        return deviations

    def logits(self, features: FloatArray) -> DoubleArray:
        """Return the classifier's logits (..., K + 1) of features (..., W)."""
        seen = self.standardise(features).clip(-FAR, FAR)
        logits: DoubleArray = seen @ self.arrays.weight + self.arrays.bias
        return logits

    def distance(self, features: FloatArray) -> DoubleArray:
        """Return the Mahalanobis distance of features (..., W) from the training films."""
        away = self.standardise(features) - self.arrays.mean
        # A precision that is rounded to single may give a square a hair below 0 near the mean.
        squares: DoubleArray = np.einsum("...i,ij,...j->...", away, self.arrays.precision, away).clip(min=0)
        return np.sqrt(squares)


def log_odds(logits: DoubleArray) -> DoubleArray:
    """Return the log-odds that something is of any kind that is not in scope, from logits (..., K + 1)."""
    top = logits.max(-1, keepdims=True)
    others: DoubleArray = np.log(np.exp(logits[..., 1:] - top).sum(-1)) + top[..., 0] - logits[..., 0]
    return others
