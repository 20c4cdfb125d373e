from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from inference.training.metrics import accuracy, bootstrap, calibration_error, macro_auc


def draw(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels of three classes and probabilities that know something of them."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, count)
    logits = rng.normal(size=(count, 3)) + 1.5 * np.eye(3)[labels]
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return labels.astype(np.int64), probabilities.astype(np.float32)


def test_macro_auc_is_scikit_learn_s_one_against_the_rest() -> None:
    """The mean over the classes, each weighted alike."""
    labels, found = draw(300)
    found = found / found.sum(1, keepdims=True)

    expected = roc_auc_score(labels, found.astype(np.float64), multi_class="ovr", average="macro")

    assert macro_auc(labels, found) == pytest.approx(expected, abs=1e-6)


def test_calibration_error_of_certain_and_right_is_zero() -> None:
    """Probability 1 for the true class every time leaves no gap."""
    labels = np.array([0, 1, 2, 1])

    assert calibration_error(labels, np.eye(3, dtype=np.float32)[labels]) == 0


def test_calibration_error_is_the_gap_of_the_bin() -> None:
    """Ten cases at confidence 0.8 of which five are right are 0.3 off."""
    found = np.tile(np.array([0.8, 0.1, 0.1], np.float32), (10, 1))
    labels = np.array([0] * 5 + [1] * 5)

    assert calibration_error(labels, found) == pytest.approx(0.3, abs=1e-6)


def test_interval_holds_the_figure_and_is_wider_for_fewer_patients() -> None:
    """Many films of one child count as one child."""
    labels, found = draw(400)
    single = bootstrap(accuracy, labels, found, [str(number) for number in range(400)])
    joined = bootstrap(accuracy, labels, found, [str(number // 20) for number in range(400)])

    assert single[0] < accuracy(labels, found) < single[1]
    assert joined[1] - joined[0] > 0
    assert single != joined
