from __future__ import annotations

import numpy as np
import pytest

from fhir_adapter.record import Modality
from inference.calibrate import NEVER, mask_of, prediction_set, probabilities, sure_enough
from inference.manifest import MASKS


def test_temperature_divides_the_logits() -> None:
    """Probabilities are the softmax of the logits over the temperature."""
    logits = np.array([2.0, 0.0, -2.0], np.float32)

    expected = np.exp([1.0, 0.0, -1.0]) / np.exp([1.0, 0.0, -1.0]).sum()
    np.testing.assert_allclose(probabilities(logits, 2.0), expected, rtol=1e-12)


def test_temperature_is_that_of_the_likeliest_class() -> None:
    """A case that is likeliest bacterial is divided by the second temperature, whatever the others are."""
    logits = np.array([[2.0, 0.0, -2.0], [0.0, 2.0, -2.0]], np.float32)

    found = probabilities(logits, (9.0, 2.0, 9.0))

    np.testing.assert_allclose(found[1], probabilities(logits[1], 2.0))
    np.testing.assert_allclose(found[0], probabilities(logits[0], 9.0))


def test_no_temperature_changes_the_order() -> None:
    """What the graph holds likeliest, and explains, stays the likeliest: calibration may not exchange the answer."""
    logits = np.random.default_rng(3).normal(size=(500, 3)).astype(np.float32)

    found = probabilities(logits, (0.3, 1.0, 4.0))

    np.testing.assert_array_equal(found.argsort(-1), logits.argsort(-1))


@pytest.mark.parametrize(("least", "sure"), [(0.59, True), (0.6, True), (0.61, False), (NEVER, False)])
def test_answer_needs_the_least_probability(least: float, *, sure: bool) -> None:
    """From the threshold on, itself included, there is an answer; at 1 there is never one."""
    assert sure_enough(np.array([0.6, 0.3, 0.1]), least) is sure


def test_never_means_never() -> None:
    """Where no threshold was found, not even a probability of 1 is an answer."""
    assert not sure_enough(np.array([1.0, 0.0, 0.0]), NEVER)


def test_large_logits_do_not_overflow() -> None:
    """A logit of a thousand gives a probability and no infinity."""
    assert probabilities(np.array([1000, 0, -1000], np.float32), 1.0).tolist() == [1, 0, 0]


def test_rows_are_calibrated_one_by_one() -> None:
    """The logits of all subsets can be calibrated in one call."""
    logits = np.random.default_rng(1).normal(size=(8, 3)).astype(np.float32)

    together = probabilities(logits, 1.5)
    np.testing.assert_allclose(together[5], probabilities(logits[5], 1.5))
    np.testing.assert_allclose(together.sum(-1), 1)


@pytest.mark.parametrize(
    ("shares", "quantile", "places"),
    [
        ([0.7, 0.2, 0.1], 0.5, (0,)),
        ([0.5, 0.3, 0.2], 0.5, (0,)),
        ([0.5, 0.3, 0.2], 0.75, (0, 1)),
        ([0.2, 0.3, 0.5], 0.75, (1, 2)),
        ([0.3, 0.3, 0.4], 0.1, (2,)),
        ([0.3, 0.3, 0.4], 1.0, (0, 1, 2)),
    ],
)
def test_set_holds_what_cannot_be_excluded(shares: list[float], quantile: float, places: tuple[int, ...]) -> None:
    """A diagnosis is in the set when its probability is at least 1 - quantile, and the set is never empty."""
    assert prediction_set(np.array(shares), quantile) == places


def test_set_covers_as_often_as_promised() -> None:
    """With the quantile taken from other cases of the same kind, nine of ten true diagnoses lie in their sets."""
    random = np.random.default_rng(7)
    truths = random.integers(3, size=4000)
    logits = random.normal(size=(4000, 3)).astype(np.float32)
    logits[np.arange(4000), truths] += 1
    shares = probabilities(logits, 1.0)
    scores = np.sort(1 - shares[np.arange(2000), truths[:2000]])
    quantile = float(scores[int(np.ceil(2001 * 0.9)) - 1])

    held = [truth in prediction_set(row, quantile) for row, truth in zip(shares[2000:], truths[2000:], strict=True)]
    assert 0.88 < np.mean(held) < 0.92


@pytest.mark.parametrize(
    ("modalities", "mask"),
    [
        (("image",), "image"),
        (("structured", "image"), "image+structured"),
        (("text", "structured", "image"), "image+text+structured"),
    ],
)
def test_mask_names_what_is_there_in_the_order_of_the_contract(modalities: tuple[Modality, ...], mask: str) -> None:
    """The key of a quantile does not depend on the order in which the modalities are listed."""
    assert mask_of(modalities) == mask
    assert mask in MASKS
