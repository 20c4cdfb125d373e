"""Labels and probabilities of several seeds -> the figures of the table, with intervals by patients.

Several seeds of one system are a stack (N, classes, seeds): a figure is the mean over its seeds, and its interval comes
from drawing patients, the same for every seed and every system.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from inference.figures import Figure
from inference.training.metrics import (
    Labels,
    Metric,
    Probabilities,
    accuracy,
    bootstrap,
    macro_auc,
    macro_f1,
    macro_precision,
    macro_recall,
)
from inference.training.resampling import Doubles, interval, patient_weights, weighted_macro_auc

METRICS: Final[Mapping[str, Metric]] = {
    "accuracy": accuracy,
    "auc": macro_auc,
    "precision": macro_precision,
    "recall": macro_recall,
    "f1": macro_f1,
}
Stack = npt.NDArray[np.float32]


def over_seeds(metric: Metric) -> Callable[[Labels, Stack], float]:
    """Return the metric of a stack (N, classes, seeds): the mean over its seeds."""

    def mean(labels: Labels, stack: Stack) -> float:
        return float(np.mean([metric(labels, stack[:, :, seed]) for seed in range(stack.shape[2])]))

    return mean


def score(
    labels: Labels, groups: Sequence[str], answers: Mapping[str, Sequence[Probabilities]], first: str = "mllm"
) -> list[Figure]:
    """Return `<system>.<metric>` of every system, and `<first>_minus_<system>.auc` of every other one.

    Args:
        labels: true classes (N,).
        groups: the patient of each case: whole patients are drawn.
        answers: for each system the probabilities (N, classes) of each of its seeds.
        first: the system the others are held against.
    """
    weights = patient_weights(groups)
    areas = {
        name: np.mean([weighted_macro_auc(labels, found, weights) for found in seeds], axis=0)
        for name, seeds in answers.items()
    }
    figures = [
        figure
        for name, seeds in answers.items()
        for figure in metric_figures(name, labels, groups, np.stack(seeds, -1), areas[name])
    ]
    point = {figure.name: figure.value for figure in figures}
    for name in answers:
        if name != first:
            ahead = point[f"{first}.auc"] - point[f"{name}.auc"]
            # Paired: in each draw both are judged on the same patients.
            low, high = interval(areas[first] - areas[name])
            figures.append(Figure(f"{first}_minus_{name}.auc", ahead, "1", len(labels), low, high))
    return figures


def metric_figures(
    system: str, labels: Labels, groups: Sequence[str], stack: Stack, areas: Doubles
) -> Iterator[Figure]:
    """Yield every metric of one system; `areas` (draws,) are its AUC in each draw of patients."""
    for name, metric in METRICS.items():
        mean = over_seeds(metric)
        # Sorting anew for each of hundreds of draws takes longer than all the rest: the AUC has its draws already.
        low, high = interval(areas) if name == "auc" else bootstrap(mean, labels, stack, groups)
        yield Figure(f"{system}.{name}", mean(labels, stack), "1", len(labels), low, high)
