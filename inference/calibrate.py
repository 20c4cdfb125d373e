"""Logits -> calibrated probabilities and the set of diagnoses that cannot be excluded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fhir_adapter.record import Modality
from inference.contract import MODALITIES, FloatArray

DoubleArray = npt.NDArray[np.float64]


def probabilities(logits: FloatArray, temperature: float) -> DoubleArray:
    """Return softmax(logits / temperature) over the last axis, (..., CLASSES).

    Temperature scaling (Guo et al. 2017): one number, fitted on held-out cases; the order of the diagnoses stays.
    """
    scaled = logits.astype(np.float64) / temperature
    weights = np.exp(scaled - scaled.max(-1, keepdims=True))
    shares: DoubleArray = weights / weights.sum(-1, keepdims=True)
    return shares


def prediction_set(shares: DoubleArray, quantile: float) -> tuple[int, ...]:
    """Return the places k with p_k >= 1 - quantile, in label order; the most probable is always among them.

    Split conformal prediction with the score 1 - p(true) (Sadinle, Lei and Wasserman 2019).
    """
    top = int(shares.argmax())
    return tuple(place for place, share in enumerate(shares) if share >= 1 - quantile or place == top)


def mask_of(modalities: Sequence[Modality]) -> str:
    """Return the key of `Calibration.quantiles` for the modalities that are there: `image+structured`."""
    return "+".join(name for name in MODALITIES if name in modalities)
