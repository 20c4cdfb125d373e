"""Logits of the 8 subsets of modalities -> exact Shapley share of each modality."""

from __future__ import annotations

from collections.abc import Sequence
from math import factorial
from typing import Final, cast

import numpy as np
import numpy.typing as npt

from explain.evidence import Share
from fhir_adapter.record import Modality
from inference.calibrate import probabilities
from inference.contract import CLASSES, MODALITIES, SUBSETS

EVERYTHING: Final = SUBSETS.index((True,) * len(MODALITIES))
NOTHING: Final = SUBSETS.index((False,) * len(MODALITIES))
_ROW_OF_SUBSET: Final = {subset: row for row, subset in enumerate(SUBSETS)}

Values = npt.NDArray[np.float64]


def answer_probabilities(subset_logits: npt.NDArray[np.floating], answer: int, temperatures: Sequence[float]) -> Values:
    """Return the calibrated probability of the answer for each row of `SUBSETS`, shape (8,).

    Args:
        subset_logits: shape (8, CLASSES), not yet calibrated.
        answer: index of the answer in `DIAGNOSES`.
        temperatures: one for each class, above 0; see `inference.calibrate.probabilities`.

    Raises:
        ValueError: the logits have another shape or are not finite, or a temperature is not above 0.
    """
    if subset_logits.shape != (len(SUBSETS), CLASSES) or not np.isfinite(subset_logits).all():
        raise ValueError(
            f"subset logits must be finite and of shape {(len(SUBSETS), CLASSES)}; check the exported graph"
        )
    if not all(temperature > 0 for temperature in temperatures):
        raise ValueError("every temperature of a checkpoint must be above 0; calibrate the checkpoint again")
    return probabilities(subset_logits.astype(np.float32), temperatures)[:, answer]


def modality_shares(values: Values) -> tuple[Share, ...]:
    """Return the exact Shapley value of each modality, in the order of `MODALITIES`.

    A modality that is absent changes no subset, so it gets 0 points.

    Args:
        values: the answer's probability for each row of `SUBSETS`, shape (8,).
    """
    points = [_shapley(values, place) for place in range(len(MODALITIES))]
    total = sum(abs(point) for point in points)
    return tuple(
        Share(cast(Modality, modality), point, abs(point) / total if total else 0.0)
        for modality, point in zip(MODALITIES, points, strict=True)
    )


def _shapley(values: Values, place: int) -> float:
    """Return the mean gain of adding one modality, over all orders in which the modalities can arrive."""
    return float(
        sum(
            _weight(sum(subset)) * (values[_row_with(subset, place)] - values[row])
            for row, subset in enumerate(SUBSETS)
            if not subset[place]
        )
    )


def _weight(already_there: int) -> float:
    players = len(MODALITIES)
    return factorial(already_there) * factorial(players - already_there - 1) / factorial(players)


def _row_with(subset: tuple[bool, ...], place: int) -> int:
    return _ROW_OF_SUBSET[(*subset[:place], True, *subset[place + 1 :])]
