from __future__ import annotations

import math
from functools import cache
from unittest.mock import patch

import numpy as np
import pytest

from inference.gate import ADULT, INVERTED, TURNED
from inference.training.scope import fit
from inference.training.scope.fit import CONFIDENCE, KEPT, GateFit, fit_scope_gate, tolerance_rank
from inference.training.scope.outliers import invert, turn
from tests.inference.training.scope.chests import draw_chests, encode

WIDE_LUNGS = 0.42


@cache
def fitted(*, adults: bool) -> GateFit:
    """Fit a gate to made-up chests; "adults" have wider lungs."""
    grown = draw_chests(60, 3, WIDE_LUNGS) if adults else None
    with patch.object(fit, "EACH", 48):
        return fit_scope_gate(encode, draw_chests(120, 1), draw_chests(100, 2), grown, seed=0)


def test_gate_keeps_new_films() -> None:
    """At least 95 of 100 films that nobody showed it pass."""
    gate = fitted(adults=True).gate

    assert np.mean(gate.score(encode(draw_chests(100, 5))) <= gate.threshold) >= KEPT


@pytest.mark.parametrize("change", [invert, turn])
def test_gate_refuses_changed_films(change: type) -> None:
    """Films that nobody showed it are refused when they are inverted or turned."""
    gate = fitted(adults=False).gate

    assert np.mean(gate.score(encode(change(draw_chests(40, 5)))) > gate.threshold) >= 0.95


@pytest.mark.parametrize(
    ("films", "kind"),
    [
        (draw_chests(20, 6, WIDE_LUNGS), ADULT),
        (invert(draw_chests(20, 6)), INVERTED),
        (turn(draw_chests(20, 6), (1,)), TURNED),
    ],
    ids=[ADULT, INVERTED, TURNED],
)
def test_gate_says_what_it_looks_like(films: np.ndarray, kind: str) -> None:
    """Most things of a kind that it knows are called by it, and none by another."""
    named = [fitted(adults=True).gate.looks_like(feature) for feature in encode(films)]

    assert named.count(kind) > len(named) / 2
    assert set(named) <= {kind, None}


def test_gate_without_adults_says_so() -> None:
    """Where no films of adults were there, the kind is not among those the settings name."""
    without, with_them = fitted(adults=False), fitted(adults=True)

    assert (without.adults, with_them.adults) == (0, 60)
    assert ADULT not in without.settings()["image_gate_kinds"]
    assert ADULT in with_them.settings()["image_gate_kinds"]


def test_settings_hold_the_threshold() -> None:
    """The threshold goes into config.json, and is one that it accepts."""
    found = fitted(adults=False)

    assert found.settings()["image_gate_threshold"] == found.gate.threshold > 0


def test_fit_is_repeatable() -> None:
    """The same films and seed give the same gate."""
    films, held = draw_chests(40, 1), draw_chests(40, 2)
    with patch.object(fit, "EACH", 8):
        first, second = (fit_scope_gate(encode, films, held, None, seed=4).gate for _ in range(2))

    assert np.array_equal(first.score(encode(held)), second.score(encode(held)))
    assert first.threshold == second.threshold


def binomial_below(count: int, rank: int) -> float:
    """Return the probability that a binomial (count, KEPT) is below rank."""
    return sum(math.comb(count, hits) * KEPT**hits * (1 - KEPT) ** (count - hits) for hits in range(rank))


@pytest.mark.parametrize("count", [59, 93, 200, 386])
def test_rank_is_the_first_that_is_sure_enough(count: int) -> None:
    """The rank keeps its share with the confidence, and the one before it does not."""
    rank = tolerance_rank(count)

    assert binomial_below(count, rank) >= CONFIDENCE > binomial_below(count, rank - 1)


@pytest.mark.parametrize("count", [1, 10, 58])
def test_too_few_films_all_pass(count: int) -> None:
    """Of fewer than 59 films none may be refused: no threshold is sure to keep 95 % then."""
    assert tolerance_rank(count) == count
