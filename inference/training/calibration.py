"""Answers on films kept apart -> temperatures, conformal quantiles and the bar for an answer.

Uses the calibration split alone: it was neither trained on nor used to choose anything, and is not the test split.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch

from inference.calibrate import probabilities
from inference.manifest import MASKS, Calibration, Selection
from inference.training.conformal import patient_quantile, patient_weights, true_scores
from inference.training.judged import Answers, Judged
from inference.training.selective import Goal, answer_from

COVERAGE: Final = 0.9
DRAWS: Final = 6
"""Simulated cases around each film kept apart."""
LEAST_PATIENTS: Final = 50
"""A class of fewer patients than this gets no temperature of its own."""
TRIES: Final = 100
"""Steps of LBFGS."""


def places_of_temperatures(judged: Sequence[Judged]) -> list[int]:
    """Return for each class which fitted temperature is its own: the first is shared by classes of too few patients."""
    names = np.concatenate([part.groups for part in judged])
    labels = np.concatenate([part.labels for part in judged])
    places = [0] * judged[0].logits.shape[1]
    for label in range(len(places)):
        if len(np.unique(names[labels == label])) >= LEAST_PATIENTS:
            places[label] = max(places) + 1
    return places


def fit_temperatures(judged: Sequence[Judged]) -> tuple[float, ...]:
    """Return the temperature of each class, above 0, that minimises the negative log-likelihood.

    Each set of modalities has the same weight, and in it each patient: by films, the few children with ten of them
    would decide, and out of fold the likelihood was worse for it.

    Args:
        judged: cases of each set of modalities, see `inference.calibrate.probabilities` for what T divides.
    """
    scores = torch.cat([torch.from_numpy(part.logits).double() for part in judged])
    truth = torch.cat([torch.from_numpy(part.labels) for part in judged])
    weights = torch.cat(
        [torch.from_numpy(patient_weights(part.groups) / len(np.unique(part.groups))) for part in judged]
    )
    places = torch.tensor(places_of_temperatures(judged))
    logarithms = torch.zeros(int(places.max()) + 1, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([logarithms], max_iter=TRIES, line_search_fn="strong_wolfe")

    def close() -> torch.Tensor:
        optimiser.zero_grad()
        scaled = scores / logarithms.exp()[places[scores.argmax(-1)], None]
        loss = (weights * torch.nn.functional.cross_entropy(scaled, truth, reduction="none")).sum() / len(judged)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimiser.step(close)  # type: ignore[no-untyped-call]
    return tuple(logarithms.detach().exp()[places].tolist())


def fit_calibration(answers: Answers, coverage: float = COVERAGE, goal: Goal | None = None) -> Calibration:
    """Fit all that turns logits into probabilities, sets and answers.

    Args:
        answers: cases of films that were neither trained on nor will be judged by, as many draws a film as there are.
        coverage: share of new cases whose diagnosis shall lie in the set.
        goal: how often an answer may be wrong; the usual one when not given.
    """
    goal = goal or Goal()
    judged = {mask: answers.of(mask) for mask in MASKS}
    temperatures = fit_temperatures(list(judged.values()))
    quantiles, least = {}, {}
    for mask, cases in judged.items():
        shares = probabilities(cases.logits, temperatures)
        quantiles[mask] = patient_quantile(true_scores(shares, cases.labels), cases.groups, coverage)
        least[mask] = answer_from(shares, cases, quantiles[mask], goal)
    return Calibration(temperatures, coverage, quantiles, Selection(goal.error, goal.doubt, least))
