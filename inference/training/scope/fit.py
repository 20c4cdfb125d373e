"""Films in scope and pictures out of it -> the image gate.

The calibration split sets the threshold and nothing else; the encoder is given as a function, so that this module
knows neither the network nor the graph.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from sklearn.covariance import LedoitWolf
from sklearn.linear_model import LogisticRegression

from inference.contract import FloatArray
from inference.gate import FAR, GateArrays, ImageGate, log_odds
from inference.training.augment import augment
from inference.training.scope.features import Encode
from inference.training.scope.outliers import Outliers, Pixels, archived, make_outliers

KEPT: Final = 0.95
"""Share of films in scope that must pass the gate."""
CONFIDENCE: Final = 0.95
"""How sure that is to hold of new films, not only of those the threshold was fitted to."""
FILMS: Final = 2000
"""Training films the gate is fitted to; the features of more change nothing."""
VARIED: Final = 800
"""Of them shown once more as another archive and another exposure would have them."""
EACH: Final = 200
"""Pictures out of scope of each change and of each kind of drawn ones."""
STRENGTH: Final = 0.7
"""Of the changes to films that stay in scope, see `inference.training.augment`."""
REACH: Final = 0.97
"""Share of films in scope within one unit of a view's score, so that both views weigh alike."""
PENALTY: Final = 0.01
"""Inverse strength of the classifier's ridge: with hundreds of features and few outliers a strong one is needed."""

Features = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class GateFit:
    """A fitted gate, and how many films of adults it was fitted to: without any it does not know them as a kind."""

    gate: ImageGate
    adults: int

    def settings(self) -> dict[str, Any]:
        """Return what `scope` of config.json has to say of the gate."""
        return {"image_gate_threshold": self.gate.threshold, "image_gate_kinds": list(self.gate.kinds)}


def fit_scope_gate(encode: Encode, train: Pixels, held: Pixels, adults: Pixels | None, seed: int) -> GateFit:
    """Fit the gate.

    Args:
        encode: the image encoder as it will be served.
        train: training films, (N, S, S); at most `FILMS` of them are used.
        held: films of the calibration split, (M, S, S).
        adults: films of adults, (A, S, S), or None where there are none.
        seed: decides everything that is drawn.
    """
    rng = np.random.default_rng([seed, 11])
    films = train[rng.permutation(len(train))[:FILMS]]
    known = encode(films).astype(np.float64)
    varied = encode(np.concatenate([archived(pick(films, rng), rng), expose(pick(films, rng), seed)]))
    outliers = make_outliers(films, adults, min(EACH, len(films)), rng)
    arrays = fit_arrays(known, varied.astype(np.float64), encode(outliers.pixels).astype(np.float64), outliers)
    return GateFit(set_threshold(arrays, encode(held)), 0 if adults is None else len(adults))


def pick(films: Pixels, rng: np.random.Generator) -> Pixels:
    """Draw at most `VARIED` of the films."""
    return films[rng.permutation(len(films))[:VARIED]]


def expose(films: Pixels, seed: int) -> Pixels:
    """Return films (N, S, S) as the encoder's training changes them."""
    images = torch.from_numpy(films).unsqueeze(1).float() / 255
    changed = augment(images, torch.Generator().manual_seed(seed), STRENGTH)
    return (changed * 255).round().to(torch.uint8).squeeze(1).numpy()


def fit_arrays(known: Features, varied: Features, strange: Features, outliers: Outliers) -> GateArrays:
    """Fit both views; their reach is not measured yet and stands at 0 and 1.

    Args:
        known: features of training films, (N, W): the distance is from these alone.
        varied: the same under changes that leave them in scope.
        strange: features of the outliers.
        outliers: their kinds.
    """
    inside = np.concatenate([known, varied])
    centre, scale = inside.mean(0), inside.std(0) + 1e-6
    kinds = sorted(set(outliers.kinds))
    labels = np.concatenate([np.zeros(len(inside), int), [1 + kinds.index(kind) for kind in outliers.kinds]])
    seen = ((np.concatenate([inside, strange]) - centre) / scale).clip(-FAR, FAR)
    classifier = fit_classifier(seen, labels)
    spread = LedoitWolf().fit((known - centre) / scale)
    return GateArrays(
        centre,
        scale,
        np.array(kinds),
        classifier.coef_.T,
        classifier.intercept_,
        spread.location_,
        spread.precision_,
        np.zeros(2),
        np.ones(2),
    )


def fit_classifier(seen: Features, labels: npt.NDArray[np.int64]) -> LogisticRegression:
    """Fit a multinomial logistic regression in which each kind counts alike, and the films in scope as all of them."""
    weights = 1 / np.bincount(labels)
    weights[0] *= len(weights) - 1
    weights /= weights[labels].mean()
    return LogisticRegression(C=PENALTY, max_iter=5000, class_weight=dict(enumerate(weights))).fit(seen, labels)


def set_threshold(arrays: GateArrays, held: FloatArray) -> ImageGate:
    """Measure the reach of both views on films held apart, features (M, W), and set the threshold by them."""
    gate = ImageGate(arrays, threshold=1.0)
    views = np.stack([log_odds(gate.logits(held)), gate.distance(held)], -1)
    middle = np.median(views, 0)
    spread = np.quantile(views, REACH, 0) - middle
    arrays = replace(arrays, middle=middle, spread=np.maximum(spread, 1e-6))
    scores = np.sort(ImageGate(arrays, threshold=1.0).score(held))
    # A score of 0 would make a threshold that config.json cannot state.
    return ImageGate(arrays, max(float(scores[tolerance_rank(len(scores)) - 1]), 1e-6))


def tolerance_rank(count: int) -> int:
    """Return which of `count` sorted scores keeps `KEPT` of new films with `CONFIDENCE`; the last where none does.

    The k-th of n scores keeps a share that follows Beta(k, n - k + 1) (Wilks 1941), which is at least p with the
    probability that a binomial (n, p) is below k.
    """
    below = 0.0
    for rank in range(1, count + 1):
        successes = rank - 1
        choices = math.lgamma(count + 1) - math.lgamma(successes + 1) - math.lgamma(count - successes + 1)
        below += math.exp(choices + successes * math.log(KEPT) + (count - successes) * math.log(1 - KEPT))
        if below >= CONFIDENCE:
            return rank
    return count
