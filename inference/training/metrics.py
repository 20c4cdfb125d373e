"""Labels and probabilities -> the figures a model is judged by, with patient-level intervals.

Calibration errors follow Guo et al. 2017 (ECE) and Nixon et al. 2019 (class-wise, adaptive); slope and intercept follow
Cox 1958, the area under the risk-coverage curve Geifman et al. 2019.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

Labels = npt.NDArray[np.int64]
Probabilities = npt.NDArray[np.float32]
Metric = Callable[[Labels, Probabilities], float]

BINS: Final = 15
LEAST_SHARE: Final = 1e-6
"""A probability of 0 or 1 has no logarithm of its odds: it is held this far away."""


def macro_auc(labels: Labels, probabilities: Probabilities) -> float:
    """Return the mean over classes of the area under the ROC curve, each class against the others."""
    areas = [roc_auc_score(labels == place, probabilities[:, place]) for place in range(probabilities.shape[1])]
    return float(np.mean(areas))


def accuracy(labels: Labels, probabilities: Probabilities) -> float:
    """Return the share of cases whose most probable class is the true one."""
    return float((probabilities.argmax(1) == labels).mean())


def confusion(labels: Labels, probabilities: Probabilities) -> npt.NDArray[np.float64]:
    """Return how often each true class (row) was held to be each class (column), (CLASSES, CLASSES)."""
    classes = probabilities.shape[1]
    counts = np.bincount(labels * classes + probabilities.argmax(1), minlength=classes**2)
    return counts.reshape(classes, classes).astype(np.float64)


def mean_share(part: npt.NDArray[np.float64], whole: npt.NDArray[np.float64]) -> float:
    """Return the mean over classes of part / whole, 0 for a class without anything in `whole`."""
    return float(np.divide(part, whole, out=np.zeros_like(part), where=whole > 0).mean())


def macro_precision(labels: Labels, probabilities: Probabilities) -> float:
    """Return the mean over classes of the share of cases held to be of a class that are; 0 for one never named."""
    counts = confusion(labels, probabilities)
    return mean_share(counts.diagonal().copy(), counts.sum(0))


def macro_recall(labels: Labels, probabilities: Probabilities) -> float:
    """Return the mean over classes of the share of its cases that are held to be of that class."""
    counts = confusion(labels, probabilities)
    return mean_share(counts.diagonal().copy(), counts.sum(1))


def macro_f1(labels: Labels, probabilities: Probabilities) -> float:
    """Return the mean over classes of the harmonic mean of precision and recall."""
    counts = confusion(labels, probabilities)
    return mean_share(2 * counts.diagonal(), counts.sum(0) + counts.sum(1))


def bin_error(said: npt.NDArray[np.floating], right: npt.NDArray[np.bool_], place: npt.NDArray[np.intp]) -> float:
    """Return the sum over bins of share of cases times |mean of what was said less share that was right|.

    Args:
        said: probability of each case, (N,).
        right: whether it came true, (N,).
        place: bin of each case, (N,).
    """
    gaps = np.bincount(place, weights=said.astype(np.float64) - right)
    return float(np.abs(gaps).sum() / len(said))


def equal_width(said: npt.NDArray[np.floating], bins: int = BINS) -> npt.NDArray[np.intp]:
    """Return the bin of each probability, bins of equal width."""
    return np.minimum((said * bins).astype(np.intp), bins - 1)


def calibration_error(labels: Labels, probabilities: Probabilities, bins: int = BINS) -> float:
    """Return the expected calibration error (ECE) of the most probable class, equal-width bins."""
    confidence = probabilities.max(1)
    return bin_error(confidence, probabilities.argmax(1) == labels, equal_width(confidence, bins))


def adaptive_error(labels: Labels, probabilities: Probabilities, bins: int = BINS) -> float:
    """Return the calibration error of the most probable class in bins that hold equally many cases."""
    confidence = probabilities.max(1)
    place = np.empty(len(labels), np.intp)
    # Cases of the same confidence may be split between two bins: in the order they came, so that it is repeatable.
    place[np.argsort(confidence, kind="stable")] = np.arange(len(labels)) * bins // len(labels)
    return bin_error(confidence, probabilities.argmax(1) == labels, place)


def classwise_error(labels: Labels, probabilities: Probabilities, bins: int = BINS) -> float:
    """Return the mean over classes of the calibration error of that class's probability, equal-width bins."""
    columns = enumerate(probabilities.T)
    return float(np.mean([bin_error(column, labels == place, equal_width(column, bins)) for place, column in columns]))


def brier(labels: Labels, probabilities: Probabilities) -> float:
    """Return the Brier score of several classes: mean over cases of the summed squared error, 0 (best) to 2."""
    truth = np.eye(probabilities.shape[1])[labels]
    return float(((probabilities - truth) ** 2).sum(1).mean())


def calibration_line(truth: npt.NDArray[np.bool_], said: npt.NDArray[np.floating]) -> tuple[float, float]:
    """Return slope and intercept of the logistic regression of `truth` (N,) on the log-odds of `said` (N,).

    Ideal: 1 and 0. A slope under 1 says that the probabilities are too extreme, an intercept above 0 that they are too
    low. Both values of `truth` must occur.
    """
    share = np.clip(said.astype(np.float64), LEAST_SHARE, 1 - LEAST_SHARE)
    odds = np.log(share / (1 - share))
    line = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000).fit(odds[:, None], truth)
    return float(line.coef_[0, 0]), float(line.intercept_[0])


def risk_coverage(labels: Labels, probabilities: Probabilities) -> tuple[npt.NDArray[np.float64], ...]:
    """Return the share of cases answered and the error among them, each (N,), the surest cases answered first."""
    order = np.argsort(-probabilities.max(1), kind="stable")
    wrong = (probabilities.argmax(1) != labels)[order]
    answered = np.arange(1, len(labels) + 1)
    return answered / len(labels), wrong.cumsum() / answered


def risk_coverage_area(labels: Labels, probabilities: Probabilities) -> float:
    """Return the area under the risk-coverage curve (AURC): mean error over every share of cases answered."""
    return float(risk_coverage(labels, probabilities)[1].mean())


def bootstrap(
    metric: Metric,
    labels: Labels,
    probabilities: Probabilities,
    groups: Sequence[str] | npt.NDArray[np.str_],
    draws: int = 400,
) -> tuple[float, float]:
    """Return the 95 % interval of a metric, drawing whole patients with replacement (fixed seed)."""
    rng = np.random.default_rng(0)
    rows_of = rows_by_group(groups)
    values = []
    for _ in range(draws):
        rows = np.concatenate([rows_of[number] for number in rng.integers(0, len(rows_of), len(rows_of))])
        if len(set(labels[rows])) == probabilities.shape[1]:
            values.append(metric(labels[rows], probabilities[rows]))
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def ratio_interval(
    part: npt.NDArray[Any], whole: npt.NDArray[Any], groups: Sequence[str] | npt.NDArray[np.str_], draws: int = 1000
) -> tuple[float, float]:
    """Return the 95 % interval of sum(part) / sum(whole), drawing whole patients with replacement (fixed seed).

    Args:
        part: what is counted of each case, (N,): 1 where it is covered, say.
        whole: what it is counted among, (N,): 1 for each case, or for each that was answered.
        groups: patient of each case.
        draws: of the bootstrap; those without anything in `whole` are left out.
    """
    _, number = np.unique(np.asarray(groups), return_inverse=True)
    sums = np.stack([np.bincount(number, values.astype(np.float64)) for values in (part, whole)], 1)
    drawn = np.random.default_rng(0).multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=draws) @ sums
    drawn = drawn[drawn[:, 1] > 0]
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], [0.025, 0.975])
    return float(low), float(high)


def rows_by_group(groups: Sequence[str] | npt.NDArray[np.str_]) -> list[npt.NDArray[np.intp]]:
    """Return the rows of each group, groups in the order of their names."""
    _, number, count = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
    return np.split(np.argsort(number, kind="stable"), np.cumsum(count)[:-1])
