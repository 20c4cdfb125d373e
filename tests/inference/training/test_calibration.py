from __future__ import annotations

import numpy as np
import pytest

from inference.calibrate import prediction_set, probabilities
from inference.training.calibration import conformal_quantile, fit_gate, fit_temperature


def draw_logits(count: int, sharpness: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn from softmax(logits), and those logits made `sharpness` times too sure."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(count, 3)) * 1.5
    shares = probabilities(logits.astype(np.float32), 1.0)
    labels = np.array([rng.choice(3, p=row) for row in shares])
    return (logits * sharpness).astype(np.float32), labels.astype(np.int64)


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_temperature_undoes_wrong_sharpness(sharpness: float) -> None:
    """Logits that are k times too sure get a temperature near k."""
    logits, labels = draw_logits(4000, sharpness)

    assert fit_temperature(logits, labels) == pytest.approx(sharpness, rel=0.1)


def test_conformal_sets_cover_new_cases() -> None:
    """With the quantile of one draw, nine of ten sets of another draw hold the truth."""
    logits, labels = draw_logits(3000, 1.0)
    quantile = conformal_quantile(probabilities(logits, 1.0).astype(np.float32), labels)
    others, truth = draw_logits(3000, 1.0, seed=1)

    covered = [
        label in prediction_set(row, quantile) for row, label in zip(probabilities(others, 1.0), truth, strict=True)
    ]

    assert np.mean(covered) == pytest.approx(0.9, abs=0.02)


def test_quantile_is_the_rank_of_the_formula() -> None:
    """With 19 scores at 90 % it is the 18th: ceil(20 * 0.9)."""
    scores = np.arange(1, 20) / 100
    found = np.stack([1 - scores, scores], 1).astype(np.float32)

    assert conformal_quantile(found, np.zeros(19, np.int64)) == pytest.approx(0.18)


def test_too_few_cases_exclude_nothing() -> None:
    """Five cases cannot promise 90 %: the quantile is 1 and every diagnosis stays in the set."""
    assert conformal_quantile(np.full((5, 2), 0.5, np.float32), np.zeros(5, np.int64)) == 1


def test_gate_keeps_its_share_and_refuses_what_lies_far_away() -> None:
    """Features like the training ones pass, shifted ones do not."""
    rng = np.random.default_rng(0)
    seen, held = rng.normal(size=(500, 8)).astype(np.float32), rng.normal(size=(200, 8)).astype(np.float32)
    gate = fit_gate(seen, held)
    away = held + 6 - gate.mean

    distance = np.sqrt(np.einsum("ni,ij,nj->n", held - gate.mean, gate.precision, held - gate.mean))
    far = np.sqrt(np.einsum("ni,ij,nj->n", away, gate.precision, away))

    assert np.mean(distance <= gate.threshold) == pytest.approx(0.98, abs=0.01)
    assert far.min() > gate.threshold
