"""Scores of many cases of few patients -> the conformal quantile that holds for the next patient.

Films of one child, and the simulated cases around one film, are no independent cases: nine films of one child say
little more than one. So each patient has the same weight, however many cases, and the correction for small samples
counts patients (hierarchical conformal prediction: Lee, Barber and Willett 2023; with one case a patient it is the
split conformal quantile). What is promised is the coverage of a random case of a new patient.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from inference.calibrate import DoubleArray
from inference.training.judged import Names
from inference.training.metrics import Labels

NOTHING_EXCLUDED: Final = 1.0
"""The quantile of too few patients: with it every diagnosis stays in the set."""


def patient_weights(groups: Names) -> DoubleArray:
    """Return the weight of each case (N,): those of one patient share 1."""
    _, number, count = np.unique(groups, return_inverse=True, return_counts=True)
    weights: DoubleArray = 1 / count[number]
    return weights


def true_scores(shares: npt.NDArray[np.floating], labels: Labels) -> DoubleArray:
    """Return the score 1 - p(true) of each case, (N,), from calibrated probabilities (N, CLASSES)."""
    scores: DoubleArray = 1 - shares[np.arange(len(labels)), labels].astype(np.float64)
    return scores


def patient_quantile(scores: DoubleArray, groups: Names, coverage: float) -> float:
    """Return the least score that `coverage` of the weight does not exceed, each of K patients weighing 1 / (K + 1).

    The weight that is left over, 1 / (K + 1), stands for the next patient, at the worst score.
    """
    order = np.argsort(scores, kind="stable")
    weights = patient_weights(groups)
    patients = len(np.unique(groups))
    # A millionth of a patient: sums of thirds must not miss the rank by rounding.
    reached = weights[order].cumsum() >= coverage * (patients + 1) - 1e-6
    return float(scores[order][reached.argmax()]) if reached.any() else NOTHING_EXCLUDED
