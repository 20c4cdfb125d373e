"""Labels, probabilities and patients -> bootstrap values of the AUC, all draws at once, so that two can be paired."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
DRAWS: Final = 1000


def patient_weights(groups: Sequence[str], draws: int = DRAWS) -> Doubles:
    """Return how often each case is drawn, (draws, N): whole patients with replacement, fixed seed.

    Two figures that use the same weights are paired: their difference in a draw is one of the same patients.
    """
    names, number = np.unique(np.asarray(groups), return_inverse=True)
    chosen = np.random.default_rng(0).multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    return chosen[:, number].astype(np.float64)


def weighted_auc(truth: npt.NDArray[np.bool_], scores: npt.NDArray[np.floating], weights: Doubles) -> Doubles:
    """Return the area under the ROC curve for each row of weights (D, N), (D,).

    The probability that a positive case scores above a negative one, ties counted half (Mann and Whitney 1947); NaN
    where a draw holds cases of one kind alone.

    Raises:
        ValueError: the weights are of another number of cases.
    """
    if weights.shape[1] != len(scores):
        raise ValueError(f"weights of {weights.shape[1]} cases for {len(scores)} scores: draw them from the same cases")
    order = np.argsort(scores, kind="stable")
    ranked, positive = scores[order], truth[order]
    weights = weights[:, order]
    negatives = np.cumsum(np.where(positive, 0, weights), axis=1)
    negatives = np.concatenate([np.zeros((len(weights), 1)), negatives], axis=1)
    below, upto = (negatives[:, np.searchsorted(ranked, ranked, side)] for side in ("left", "right"))
    positives = np.where(positive, weights, 0)
    pairs = positives.sum(1) * negatives[:, -1]
    won = (positives * (below + upto) / 2).sum(1)
    areas: Doubles = np.divide(won, pairs, out=np.full(len(weights), np.nan), where=pairs > 0)
    return areas


def weighted_macro_auc(
    labels: npt.NDArray[np.int64], probabilities: npt.NDArray[np.floating], weights: Doubles
) -> Doubles:
    """Return the mean over classes of the AUC of each class against the others, for each row of weights, (D,)."""
    areas = [weighted_auc(labels == place, probabilities[:, place], weights) for place in range(probabilities.shape[1])]
    mean: Doubles = np.mean(areas, axis=0)
    return mean


def interval(values: Doubles) -> tuple[float, float]:
    """Return the 95 % interval of bootstrap values, draws without a value left out."""
    low, high = np.nanquantile(values, [0.025, 0.975])
    return float(low), float(high)
