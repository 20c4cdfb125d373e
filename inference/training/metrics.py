"""Labels and probabilities -> the figures a model is judged by, with patient-level intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

Labels = npt.NDArray[np.int64]
Probabilities = npt.NDArray[np.float32]
Metric = Callable[[Labels, Probabilities], float]


def macro_auc(labels: Labels, probabilities: Probabilities) -> float:
    """Return the mean over classes of the area under the ROC curve, each class against the others."""
    areas = [roc_auc_score(labels == place, probabilities[:, place]) for place in range(probabilities.shape[1])]
    return float(np.mean(areas))


def accuracy(labels: Labels, probabilities: Probabilities) -> float:
    """Return the share of cases whose most probable class is the true one."""
    return float((probabilities.argmax(1) == labels).mean())


def calibration_error(labels: Labels, probabilities: Probabilities, bins: int = 15) -> float:
    """Return the expected calibration error (ECE) of the most probable class, equal-width bins."""
    confidence = probabilities.max(1)
    right = probabilities.argmax(1) == labels
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs(confidence[place == b].mean() - right[place == b].mean()) * (place == b).mean() for b in set(place)]
    return float(sum(gaps))


def bootstrap(
    metric: Metric, labels: Labels, probabilities: Probabilities, groups: Sequence[str], draws: int = 400
) -> tuple[float, float]:
    """Return the 95 % interval of a metric, drawing whole patients with replacement (fixed seed)."""
    rng = np.random.default_rng(0)
    rows_of = [np.flatnonzero(np.asarray(groups) == group) for group in sorted(set(groups))]
    values = []
    for _ in range(draws):
        rows = np.concatenate([rows_of[number] for number in rng.integers(0, len(rows_of), len(rows_of))])
        if len(set(labels[rows])) == probabilities.shape[1]:
            values.append(metric(labels[rows], probabilities[rows]))
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
