"""Shapley shares of the modalities."""

from itertools import permutations

import numpy as np
import pytest

from explain.shares import EVERYTHING, NOTHING, answer_probabilities, modality_shares
from inference.contract import CLASSES, MODALITIES, SUBSETS
from tests.explain.examples import TEMPERATURES, subset_logits


def some_values(seed: int) -> np.ndarray:
    logits = np.random.default_rng(seed).normal(0, 3, (8, CLASSES)).astype(np.float32)
    return answer_probabilities(logits, 1, TEMPERATURES)


@pytest.mark.parametrize("seed", range(20))
def test_points_add_up_exactly(seed: int) -> None:
    """The points add up to the probability with everything minus the probability with nothing."""
    values = some_values(seed)
    total = sum(share.points for share in modality_shares(values))
    assert total == pytest.approx(values[EVERYTHING] - values[NOTHING], abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_points_are_the_mean_gain_over_all_orders(seed: int) -> None:
    """A modality's points are its gain averaged over the six orders in which the modalities can arrive."""
    values = some_values(seed)
    gains = np.zeros(3)
    for order in permutations(range(3)):
        there = [False] * 3
        for place in order:
            before = values[SUBSETS.index((there[0], there[1], there[2]))]
            there[place] = True
            gains[place] += values[SUBSETS.index((there[0], there[1], there[2]))] - before
    assert [share.points for share in modality_shares(values)] == pytest.approx(list(gains / 6), abs=1e-12)


@pytest.mark.parametrize("absent", range(3))
def test_absent_modality_gets_no_points(absent: int) -> None:
    """A modality that is absent changes no subset, so it gets exactly 0 points and the others share the rest."""
    present = (absent != 0, absent != 1, absent != 2)
    shares = modality_shares(answer_probabilities(subset_logits(present), 1, TEMPERATURES))
    assert (shares[absent].points, shares[absent].share) == (0.0, 0.0)
    assert all(share.points > 0 for place, share in enumerate(shares) if place != absent)


def test_shares_are_parts_of_one_whole() -> None:
    """Shares are the parts of the summed absolute points, in the contract's order of modalities."""
    shares = modality_shares(some_values(3))
    assert sum(share.share for share in shares) == pytest.approx(1.0)
    assert tuple(share.modality for share in shares) == MODALITIES


def test_nothing_moved_means_no_share() -> None:
    """When no modality moves the answer, every share is 0 and none is a division by zero."""
    assert [share.share for share in modality_shares(np.full(8, 0.4))] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_temperature_must_be_above_zero(temperature: float) -> None:
    """A checkpoint without a usable temperature is refused."""
    with pytest.raises(ValueError, match="temperature"):
        answer_probabilities(subset_logits(), 1, (1.0, 1.0, temperature))


def test_each_subset_has_the_temperature_of_its_own_answer() -> None:
    """A subset that leans to another diagnosis is calibrated by the temperature of that one."""
    logits = np.zeros((8, CLASSES), np.float32)
    logits[0, 0], logits[7, 1] = 2.0, 2.0
    values = answer_probabilities(logits, 1, (1.0, 2.0, 1.0))

    assert values[0] == pytest.approx(1 / (np.exp(2) + 2))
    assert values[7] == pytest.approx(np.exp(1) / (np.exp(1) + 2))


@pytest.mark.parametrize("logits", [np.zeros((7, CLASSES)), np.zeros((8, 2)), np.full((8, CLASSES), np.nan)])
def test_odd_logits_are_refused(logits: np.ndarray) -> None:
    """Logits of another shape, or that are not finite, are refused before anything is shown."""
    with pytest.raises(ValueError, match="subset logits"):
        answer_probabilities(logits, 1, TEMPERATURES)
