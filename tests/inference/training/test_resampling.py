from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from inference.training.metrics import macro_auc
from inference.training.resampling import interval, patient_weights, weighted_auc, weighted_macro_auc

RANDOM = np.random.default_rng(3)
TRUTH = RANDOM.random(60) < 0.4
SCORES = (RANDOM.normal(size=60) + TRUTH).round(1)
"""Rounded, so that there are ties."""


def test_weights_of_one_give_the_plain_auc() -> None:
    """Without resampling it is scikit-learn's area, ties included."""
    assert weighted_auc(TRUTH, SCORES, np.ones((1, 60)))[0] == pytest.approx(roc_auc_score(TRUTH, SCORES))


def test_weights_count_as_repeated_cases() -> None:
    """A case drawn twice counts as two, one drawn never as none."""
    weights = patient_weights([str(number) for number in range(60)], 5)
    found = weighted_auc(TRUTH, SCORES, weights)

    for row, area in zip(weights.astype(int), found, strict=True):
        assert area == pytest.approx(roc_auc_score(np.repeat(TRUTH, row), np.repeat(SCORES, row)))


def test_patients_are_drawn_whole() -> None:
    """All cases of a patient are drawn as often, and as many patients as there are."""
    weights = patient_weights(["b", "a", "b", "c"], 50)

    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, [0, 1, 3]].sum(1) == 3).all()
    assert len(np.unique(weights, axis=0)) > 1


def test_macro_auc_is_that_of_the_other_figures() -> None:
    """Over three classes it is the mean of each against the others, as `evaluate` has it."""
    labels, shares = RANDOM.integers(0, 3, 60), RANDOM.dirichlet([1, 1, 1], 60).astype(np.float32)

    assert weighted_macro_auc(labels, shares, np.ones((1, 60)))[0] == pytest.approx(macro_auc(labels, shares))


def test_draw_of_one_kind_alone_has_no_value() -> None:
    """Such a draw is left out of the interval and never counts as 0."""
    areas = weighted_auc(np.array([True, False]), np.array([2.0, 1.0]), np.array([[1.0, 1.0], [2.0, 0.0]]))

    assert np.isnan(areas[1])
    assert interval(areas) == (1.0, 1.0)


def test_weights_of_other_cases_are_refused() -> None:
    """Weights that belong to more cases than are judged would be read askew."""
    with pytest.raises(ValueError, match="same cases"):
        weighted_auc(TRUTH, SCORES, np.ones((2, 61)))
