from __future__ import annotations

import numpy as np
import pytest

from explain.research.curves import Curves, mean_curves, most_relevant, trace
from explain.research.variants import Ask, Doubles

WEIGHTS = np.array([[0.1 * place for place in range(20)]])
EVERYWHERE = np.ones_like(WEIGHTS, bool)
"""Twenty parts: 5, 10, 20 and 50 % of them are 1, 2, 4 and 10."""


def adds_up(weights: Doubles) -> Ask:
    """An answer that is the sum of the weights of what is kept: they are the right map."""
    return lambda kept: (weights * kept).sum(1)


def test_comprehensiveness_is_the_mean_of_what_is_taken() -> None:
    """Of a sum, taking the top 1, 2, 4 and 10 of 20 parts away takes their sums: 1.9, 3.7, 7.0 and 14.5."""
    curves = trace(adds_up(WEIGHTS), WEIGHTS, EVERYWHERE)

    assert curves.comprehensiveness == pytest.approx([(1.9 + 3.7 + 7.0 + 14.5) / 4])


def test_sufficiency_is_the_mean_of_what_is_missed() -> None:
    """The same parts alone leave 19 less their sums to be missed."""
    curves = trace(adds_up(WEIGHTS), WEIGHTS, EVERYWHERE)

    assert curves.sufficiency == pytest.approx([19 - (1.9 + 3.7 + 7.0 + 14.5) / 4])


def test_areas_are_those_of_trapezes() -> None:
    """With one part that decides and a map that names it, insertion rises and deletion falls at the first step."""
    weights = np.zeros((1, 20))
    weights[0, 7] = 1.0
    curves = trace(adds_up(weights), weights, EVERYWHERE)

    assert curves.insertion_minus_deletion == pytest.approx([(1 - 0.025) - 0.025])


def test_right_map_beats_its_reverse() -> None:
    """No map takes more away than the right one, none less than the right one upside down."""
    ask, mixed = adds_up(WEIGHTS), np.random.default_rng(0).random(WEIGHTS.shape)
    right, wrong, random = (trace(ask, maps, EVERYWHERE).gain[0] for maps in (WEIGHTS, -WEIGHTS, mixed))

    assert wrong < random < right


def test_random_maps_gain_nothing_over_random_maps() -> None:
    """Over many cases the mean of one random map less another is near 0."""
    random = np.random.default_rng(1)
    weights, there = np.repeat(WEIGHTS, 400, 0), np.ones((400, 20), bool)
    one, other = (trace(adds_up(weights), random.random(weights.shape), there) for _ in range(2))

    assert abs(float(np.mean(one.comprehensiveness - other.comprehensiveness))) < 0.1


def test_only_what_is_there_is_marked() -> None:
    """Parts that are absent count neither as marked nor in the fraction; at least one is marked, never all."""
    there = np.array([[True, True, False, False], [True, True, True, True]])
    maps = np.array([[1.0, 2.0, 9.0, 9.0], [1.0, 2.0, 3.0, 4.0]])

    assert most_relevant(maps, there, 0.5).tolist() == [[False, True, False, False], [False, False, True, True]]
    assert most_relevant(maps, there, 1.0).sum(1).tolist() == [1, 3]


def test_equal_parts_are_not_taken_from_the_top() -> None:
    """A map without an order marks parts all over, not the first ones."""
    marked = most_relevant(np.zeros((1, 100)), np.ones((1, 100), bool), 0.1)

    assert np.flatnonzero(marked[0]).max() > 50


def test_mean_of_controls_is_taken_point_by_point() -> None:
    """Several random maps of a case count as one, by their mean."""
    whole, empty = np.array([1.0]), np.array([0.0])
    drawn = [Curves(whole, empty, np.full((1, 4), value), np.full((1, 4), value)) for value in (0.2, 0.6)]

    assert mean_curves(drawn).comprehensiveness == pytest.approx([0.6])
