"""Logits -> calibrated probabilities, the set of diagnoses that cannot be excluded, and whether that is an answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from fhir_adapter.record import Modality
from inference.contract import MODALITIES, FloatArray

DoubleArray = npt.NDArray[np.float64]

NEVER: Final = 1.0
"""The least probability to answer from where the model never answers."""


def probabilities(logits: FloatArray, temperatures: float | Sequence[float]) -> DoubleArray:
    """Return softmax(logits / T) over the last axis, (..., CLASSES), T being the temperature of the likeliest class.

    Each case is divided by one number (Guo et al. 2017), so the order of the diagnoses stays that of the logits: the
    graph explains the one it holds likeliest, and no calibration may put another first.

    Args:
        logits: (..., CLASSES).
        temperatures: one for each class, or one for all, fitted on held-out cases.
    """
    scores = logits.astype(np.float64)
    each = np.broadcast_to(np.asarray(temperatures, np.float64), scores.shape[-1:])
    scaled = scores / each[scores.argmax(-1)][..., None]
    weights = np.exp(scaled - scaled.max(-1, keepdims=True))
    shares: DoubleArray = weights / weights.sum(-1, keepdims=True)
    return shares


def prediction_set(shares: DoubleArray, quantile: float) -> tuple[int, ...]:
    """Return the places k with p_k >= 1 - quantile, in label order; the most probable is always among them.

    Split conformal prediction with the score 1 - p(true) (Sadinle, Lei and Wasserman 2019).
    """
    top = int(shares.argmax())
    return tuple(place for place, share in enumerate(shares) if share >= 1 - quantile or place == top)


def sure_enough(shares: DoubleArray, least: float) -> bool:
    """Say whether the most probable diagnosis is probable enough to answer with."""
    return least < NEVER and bool(shares.max() >= least)


def mask_of(modalities: Sequence[Modality]) -> str:
    """Return the key of `Calibration.quantiles` for the modalities that are there: `image+structured`."""
    return "+".join(name for name in MODALITIES if name in modalities)
