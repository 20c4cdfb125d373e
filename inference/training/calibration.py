"""Logits of films kept apart -> temperature, conformal quantiles and image gate.

Uses the calibration split alone: it was neither trained on nor used to choose anything, and is not the test split.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from sklearn.covariance import LedoitWolf

from inference.training.metrics import Labels

COVERAGE: Final = 0.9
GATE_KEPT: Final = 0.98
"""Share of in-scope films that must pass the image gate."""

Logits = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class GateFit:
    """Mean (W,) and precision (W, W) of the image feature; beyond the Mahalanobis distance a film is refused."""

    mean: npt.NDArray[np.float32]
    precision: npt.NDArray[np.float32]
    threshold: float


def fit_temperature(logits: Logits, labels: Labels) -> float:
    """Return the temperature T > 0 that minimises the negative log-likelihood of logits / T (Guo et al. 2017)."""
    scores, truth = torch.from_numpy(logits), torch.from_numpy(labels)
    log_temperature = torch.zeros(1, requires_grad=True)
    optimiser = torch.optim.LBFGS([log_temperature], lr=0.1, max_iter=100)

    def close() -> torch.Tensor:
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(scores / log_temperature.exp(), truth)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimiser.step(close)  # type: ignore[no-untyped-call]
    return float(log_temperature.detach().exp())


def conformal_quantile(probabilities: npt.NDArray[np.float32], labels: Labels, coverage: float = COVERAGE) -> float:
    """Return the split conformal quantile of 1 - p(true): the ceil((n + 1) coverage) / n empirical quantile."""
    scores = np.sort(1 - probabilities[np.arange(len(labels)), labels])
    rank = int(np.ceil((len(scores) + 1) * coverage))
    return float(scores[rank - 1]) if rank <= len(scores) else 1.0


def fit_gate(train: npt.NDArray[np.float32], held: npt.NDArray[np.float32]) -> GateFit:
    """Fit the gate to features (N, W) of training films; the threshold keeps `GATE_KEPT` of those held apart."""
    fit = LedoitWolf().fit(train.astype(np.float64))
    distances = np.sqrt(fit.mahalanobis(held.astype(np.float64)))
    return GateFit(
        fit.location_.astype(np.float32),
        fit.precision_.astype(np.float32),
        float(np.quantile(distances, GATE_KEPT)),
    )
