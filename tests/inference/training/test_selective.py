from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom  # type: ignore[import-untyped]  # published without types; comes with scikit-learn

from inference.calibrate import NEVER, prediction_set, probabilities
from inference.training.judged import Judged
from inference.training.selective import Goal, answer_from, patient_counts, single_sets, upper_bound
from tests.inference.training.made import draw_judged


@pytest.mark.parametrize(
    ("wrong", "answered", "bound"),
    [(0, 30, 1 - 0.1 ** (1 / 30)), (0, 100, 1 - 0.1 ** (1 / 100)), (5, 5, 1.0), (0, 0, 1.0)],
)
def test_bound_has_closed_ends(wrong: float, answered: float, bound: float) -> None:
    """Without an error the bound is 1 - 0.1 ** (1 / n); with nothing but errors, or nothing at all, it is 1."""
    assert upper_bound(wrong, answered, 0.1) == pytest.approx(bound)


@pytest.mark.parametrize(("wrong", "answered"), [(1, 20), (10, 100), (30, 70)])
def test_bound_is_clopper_and_pearson_s(wrong: int, answered: int) -> None:
    """Were the error as high as the bound, so few wrong answers would come with a chance of one in ten."""
    assert binom.cdf(wrong, answered, upper_bound(wrong, answered, 0.1)) == pytest.approx(0.1)


def test_bound_is_seldom_exceeded() -> None:
    """In at most one of ten samples the true error lies above the bound."""
    counts = np.random.default_rng(0).binomial(60, 0.2, 2000)

    assert np.mean([upper_bound(count, 60, 0.1) < 0.2 for count in counts]) < 0.11


def test_patients_are_counted_and_not_films() -> None:
    """A child with nine films, all answered wrongly, is one patient answered wrongly."""
    patients = np.array([0] * 9 + [1, 2, 3])
    wrong = np.array([1.0] * 9 + [0, 0, 0])

    assert patient_counts(np.ones(12, bool), wrong, patients) == pytest.approx((4, 1))


def test_half_answered_patients_count_for_less() -> None:
    """Kish: weights of 1 and a half are worth 1.8 patients."""
    kept = np.array([True, True, True, False])

    assert patient_counts(kept, np.zeros(4), np.array([0, 0, 1, 1])) == pytest.approx((1.8, 0))


def test_nothing_answered_is_nobody() -> None:
    """Where nothing would be answered there is no patient and no error."""
    assert patient_counts(np.zeros(3, bool), np.ones(3), np.arange(3)) == (0, 0)


@pytest.mark.parametrize("quantile", [0.3, 0.6, 0.8])
def test_single_sets_are_those_of_serving(quantile: float) -> None:
    """The vector form agrees with `prediction_set`, which answers at the bedside."""
    shares = probabilities(draw_judged(300).logits, 1.0)

    expected = [len(prediction_set(row, quantile)) == 1 for row in shares]

    assert single_sets(shares, quantile).tolist() == expected


def steps(errors: tuple[float, ...], size: int = 100) -> tuple[np.ndarray, Judged]:
    """Cases of rising probability 0.4, 0.5 … in blocks of `size`, with the given share of wrong ones in each block."""
    top = np.repeat(0.4 + 0.1 * np.arange(len(errors)), size)
    shares = np.stack([top, (1 - top) * 0.6, (1 - top) * 0.4], 1)
    labels = np.concatenate([(np.arange(size) < size * error).astype(np.int64) for error in errors])
    return shares, Judged(np.log(shares).astype(np.float32), labels, np.arange(len(top)).astype(str))


def test_threshold_stops_where_the_error_begins() -> None:
    """Blocks of 40, 60, 5 and 0 % errors: with 15 % allowed, answers begin at the third block."""
    shares, cases = steps((0.4, 0.6, 0.05, 0.0))

    assert answer_from(shares, cases, 0.3, Goal()) == pytest.approx(0.51)


def test_sets_of_several_are_not_answered_at_any_threshold() -> None:
    """Where no set holds one diagnosis alone, nothing is answered, so nothing can be promised."""
    shares, cases = steps((0.0, 0.0))

    assert answer_from(shares, cases, 1.0, Goal()) == NEVER


def test_error_at_the_top_ends_the_search() -> None:
    """Where the surest cases are wrong too often, no laxer threshold is tried, however good it looks."""
    shares, cases = steps((0.0, 0.0, 0.0, 0.0, 0.5))

    assert answer_from(shares, cases, 0.3, Goal()) == NEVER


def test_few_patients_get_no_threshold() -> None:
    """Twenty-nine faultless patients prove too little."""
    shares, cases = steps((0.0,), size=29)

    assert answer_from(shares, cases, 0.3, Goal()) == NEVER
