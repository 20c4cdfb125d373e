from __future__ import annotations

import numpy as np
import pytest

from inference.training.conformal import NOTHING_EXCLUDED, patient_quantile, patient_weights, true_scores


def test_score_is_what_the_truth_lacks() -> None:
    """The score of a case is 1 less the probability of its true class."""
    found = np.array([[0.7, 0.2, 0.1], [0.7, 0.2, 0.1]])

    np.testing.assert_allclose(true_scores(found, np.array([0, 2])), [0.3, 0.9])


def test_cases_of_one_patient_share_one_weight() -> None:
    """Three films of one child weigh a third each."""
    assert patient_weights(np.array(["a", "b", "a", "a"])) == pytest.approx([1 / 3, 1, 1 / 3, 1 / 3])


@pytest.mark.parametrize(("count", "rank"), [(9, 9), (19, 18), (20, 19), (99, 90), (100, 91)])
def test_one_case_a_patient_is_split_conformal(count: int, rank: int) -> None:
    """With a case a patient the quantile is the ceil((n + 1) * 0.9)th score."""
    scores = np.random.default_rng(0).permutation(np.arange(1, count + 1) / 1000)
    patients = np.array([str(number) for number in range(count)])

    assert patient_quantile(scores, patients, 0.9) == rank / 1000


def test_repeating_every_case_changes_nothing() -> None:
    """Ten simulated cases that say the same are no more evidence: the correction counts patients."""
    scores = np.arange(1, 31) / 100
    patients = np.array([str(number) for number in range(30)])

    assert patient_quantile(np.repeat(scores, 10), np.repeat(patients, 10), 0.9) == patient_quantile(
        scores, patients, 0.9
    )


@pytest.mark.parametrize("films", [1, 40])
def test_too_few_patients_exclude_nothing(films: int) -> None:
    """Eight patients cannot promise 90 %, however many films they have: every diagnosis stays in the set."""
    patients = np.repeat([str(number) for number in range(8)], films)

    assert patient_quantile(np.full(8 * films, 0.1), patients, 0.9) == NOTHING_EXCLUDED


def test_coverage_holds_although_few_patients_have_most_films() -> None:
    """Over many trials a case of a new patient is covered nine times in ten: patients differ, their films do not."""
    rng, covered = np.random.default_rng(4), []
    for _ in range(400):
        counts = rng.choice([1, 1, 1, 12], 40)
        level = rng.random(41)
        scores = np.repeat(level[:40], counts)
        quantile = patient_quantile(scores, np.repeat(np.arange(40).astype(str), counts), 0.9)
        covered.append(level[40] <= quantile)

    assert np.mean(covered) == pytest.approx(0.9, abs=0.04)
