from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, precision_recall_fscore_support, roc_auc_score

from inference.training.metrics import (
    accuracy,
    adaptive_error,
    bootstrap,
    brier,
    calibration_error,
    calibration_line,
    classwise_error,
    macro_auc,
    macro_f1,
    macro_precision,
    macro_recall,
    ratio_interval,
    risk_coverage,
    risk_coverage_area,
)


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


def test_precision_recall_and_f1_are_scikit_learn_s() -> None:
    """Each is computed for every class and averaged, each class weighted alike."""
    labels, found = draw(300)
    expected = precision_recall_fscore_support(labels, found.argmax(1), average="macro")[:3]

    found_here = (macro_precision(labels, found), macro_recall(labels, found), macro_f1(labels, found))
    assert found_here == pytest.approx(expected)


def test_class_that_is_never_named_has_precision_nought() -> None:
    """A class nobody names is no reason to fail, and none for a good figure."""
    labels, found = np.array([0, 1, 2]), np.tile(np.array([0.8, 0.1, 0.1], np.float32), (3, 1))

    assert macro_precision(labels, found) == pytest.approx(1 / 9)


def test_brier_is_scikit_learn_s() -> None:
    """The squared errors of all classes, summed: 0 to 2."""
    labels, found = draw(300)
    precise = found / found.sum(1, keepdims=True, dtype=np.float64)

    expected = brier_score_loss(labels, precise, labels=[0, 1, 2], scale_by_half=False)

    assert brier(labels, found) == pytest.approx(expected, abs=1e-6)


def test_classwise_error_counts_every_class() -> None:
    """Probabilities 0.8, 0.1, 0.1 of which 0.5, 0.5, 0 came true are 0.3, 0.4 and 0.1 off: 0.8 / 3 in the mean."""
    found = np.tile(np.array([0.8, 0.1, 0.1], np.float32), (10, 1))
    labels = np.array([0] * 5 + [1] * 5)

    assert classwise_error(labels, found) == pytest.approx(0.8 / 3, abs=1e-6)


def test_adaptive_error_fills_its_bins_evenly() -> None:
    """Two bins of two: 0.5 and 0.6 with one right are 0.05 off, 0.8 and 0.9 with both right 0.15."""
    top = np.array([0.9, 0.5, 0.8, 0.6])
    found = np.stack([top, 1 - top, 0 * top], 1).astype(np.float32)

    assert adaptive_error(np.array([0, 1, 0, 0]), found, bins=2) == pytest.approx(0.1, abs=1e-6)


def test_errors_of_calibrated_probabilities_are_small() -> None:
    """Where labels are drawn from the probabilities themselves, every calibration error is near 0."""
    _, found = draw(20000)
    found = found / found.sum(1, keepdims=True)
    random = np.random.default_rng(1).random(len(found))
    labels = (random[:, None] > found.cumsum(1)).sum(1).clip(max=2)

    assert max(error(labels, found) for error in (calibration_error, adaptive_error, classwise_error)) < 0.02


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.5, 0.0), (1.0, 0.7)])
def test_line_finds_slope_and_intercept(slope: float, intercept: float) -> None:
    """Outcomes drawn from log-odds that are stretched or shifted give that stretch and shift back."""
    rng = np.random.default_rng(2)
    odds = rng.normal(size=40000) * 1.5
    truth = rng.random(40000) < 1 / (1 + np.exp(-(slope * odds + intercept)))

    assert calibration_line(truth, 1 / (1 + np.exp(-odds))) == pytest.approx((slope, intercept), abs=0.06)


def test_line_bears_certainty() -> None:
    """Probabilities of exactly 0 and 1 have no log-odds, and still give a finite line."""
    said = np.array([0.0, 1.0, 0.0, 1.0, 0.5, 0.5])

    assert np.isfinite(calibration_line(np.array([False, True, True, False, True, False]), said)).all()


def test_surest_cases_are_answered_first() -> None:
    """Of 0.9 right, 0.8 wrong, 0.7 right: errors of 0, 1/2 and 1/3, area their mean."""
    top = np.array([0.7, 0.9, 0.8])
    found = np.stack([top, 1 - top], 1).astype(np.float32)
    answered, error = risk_coverage(np.array([0, 0, 1]), found)

    assert answered == pytest.approx([1 / 3, 2 / 3, 1])
    assert error == pytest.approx([0, 1 / 2, 1 / 3])
    assert risk_coverage_area(np.array([0, 0, 1]), found) == pytest.approx(5 / 18)


def test_interval_of_a_share_is_that_of_independent_patients() -> None:
    """With one case a patient it is the normal interval of a share: 0.3 of 1000 is 0.3 +- 0.028."""
    part = np.arange(1000) < 300

    low, high = ratio_interval(part, np.ones(1000), np.arange(1000).astype(str))

    assert (low, high) == pytest.approx((0.2716, 0.3284), abs=0.006)


def test_repeated_cases_leave_the_interval_as_it_is() -> None:
    """Judging the same patients three times over narrows no interval."""
    part, names = np.arange(100) < 30, np.arange(100).astype(str)

    once = ratio_interval(part, np.ones(100), names)

    assert ratio_interval(np.tile(part, 3), np.ones(300), np.tile(names, 3)) == pytest.approx(once)


def test_draws_without_a_case_are_left_out() -> None:
    """Where a drawn sample has nothing to count among, it says nothing, and is no division by nought."""
    low, high = ratio_interval(np.array([1.0, 0, 0]), np.array([1.0, 0, 0]), ["a", "b", "c"])

    assert (low, high) == (1, 1)
