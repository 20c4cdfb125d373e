"""Judged cases -> from which probability on the model may answer, so that it is seldom wrong when it does.

The bound is that of a binomial count of patients: with several cases a patient, each patient weighs by the part of its
cases that would be answered (Kish's effective number). Thresholds are tried from the strictest one down and the first
that fails ends the search, so that trying many costs nothing (fixed sequence testing; Angelopoulos et al. 2022).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import beta  # type: ignore[import-untyped]  # published without types; comes with scikit-learn

from inference.calibrate import NEVER, DoubleArray
from inference.contract import CLASSES
from inference.training.judged import Flags, Judged

LEAST_PATIENTS: Final = 30
"""Fewer answered patients than this say nothing about a threshold."""
THRESHOLDS: Final = tuple(number / 100 for number in range(99, 100 // CLASSES - 1, -1))
"""Down to the probability that the likeliest of all classes always reaches."""


@dataclass(frozen=True, slots=True)
class Goal:
    """At most `error` of the answers may be wrong; `doubt` is the chance that a threshold breaks this promise."""

    error: float = 0.15
    doubt: float = 0.1


def upper_bound(wrong: float, answered: float, doubt: float) -> float:
    """Return the error that is exceeded with a chance of at most `doubt`, by Clopper and Pearson (1934).

    Args:
        wrong: number of wrong answers; may be a fraction where cases are weighed.
        answered: number of answers.
        doubt: 0..1.
    """
    return 1.0 if wrong >= answered else float(beta.ppf(1 - doubt, wrong + 1, answered - wrong))


def patient_counts(kept: Flags, wrong: DoubleArray, patients: npt.NDArray[np.intp]) -> tuple[float, float]:
    """Return the effective number of patients answered, and how many of them wrongly.

    Args:
        kept: which cases would be answered, (N,).
        wrong: 1 for each case whose most probable diagnosis is not the true one, (N,).
        patients: number of the patient of each case, counted from 0 without a gap, (N,).
    """
    count = np.bincount(patients)
    weight = np.bincount(patients, kept) / count
    total = weight.sum()
    if not total:
        return 0.0, 0.0
    answered = total**2 / (weight**2).sum()
    return float(answered), float(answered * (np.bincount(patients, kept * wrong) / count).sum() / total)


def single_sets(shares: npt.NDArray[np.floating], quantile: float | DoubleArray) -> Flags:
    """Say for which probabilities (N, CLASSES) the set holds one diagnosis, (N,); one quantile, or one a case."""
    alone: Flags = np.partition(shares, -2, axis=1)[:, -2] < 1 - quantile
    return alone


def answer_from(shares: DoubleArray, cases: Judged, quantile: float, goal: Goal) -> float:
    """Return the least probability at which the model may answer; `NEVER` where no threshold keeps the promise.

    Args:
        shares: calibrated probabilities of the cases, (N, CLASSES).
        cases: judged with one set of modalities.
        quantile: of that set of modalities; a case with several diagnoses in its set is not answered in any case.
        goal: what is promised.
    """
    top, alone = shares.max(1), single_sets(shares, quantile)
    wrong = (shares.argmax(1) != cases.labels).astype(np.float64)
    _, patients = np.unique(cases.groups, return_inverse=True)
    found = NEVER
    for threshold in THRESHOLDS:
        answered, failed = patient_counts(alone & (top >= threshold), wrong, patients)
        if answered < LEAST_PATIENTS:
            continue
        if upper_bound(failed, answered, goal.doubt) > goal.error:
            break
        found = threshold
    return found
