from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from explain.methods.shapley import group_shares, shapley_values
from inference.checkpoint import Checkpoint
from tests.explain.methods.planted import Chart, Planted, Rule, Seen, make_case


def points(tiny: Checkpoint, rule: Rule, chart: Chart | None = None) -> dict[str, float]:
    """Return the points of each group in a planted case."""
    explorer = Planted(tiny, rule)
    shares, _ = group_shares(make_case(explorer, chart), explorer)
    return {share.key: share.points for share in shares}


def by_orders(values: np.ndarray) -> list[float]:
    """Return Shapley values by their definition: the mean gain over all orders of arrival."""
    players = len(values).bit_length() - 1
    gains = np.zeros(players)
    orders = list(permutations(range(players)))
    for order in orders:
        there = 0
        for player in order:
            gains[player] += values[there | 1 << player] - values[there]
            there |= 1 << player
    return list(gains / len(orders))


def test_values_are_the_mean_gain_over_all_orders() -> None:
    """The sum over coalitions is the definition of the Shapley value."""
    values = np.random.default_rng(5).random(2**5)
    assert shapley_values(values) == pytest.approx(by_orders(values), abs=1e-12)


def test_no_players_share_nothing() -> None:
    """A game of nobody has no values."""
    assert shapley_values(np.array([0.3])).shape == (0,)


def test_what_adds_up_is_shared_as_it_is(tiny: Checkpoint) -> None:
    """Groups that do not depend on each other get what they add."""
    found = points(tiny, lambda seen: 0.2 + 0.3 * seen.given("crp") - 0.1 * seen.given("temperature"))
    assert found == pytest.approx({"crp": 0.3, "temperature": -0.1, "person": 0.0})


def test_partners_share_alike(tiny: Checkpoint) -> None:
    """What two groups do only together is halved between them."""
    found = points(tiny, lambda seen: 0.2 + 0.3 * seen.given("crp") * seen.given("temperature"))
    assert found["crp"] == pytest.approx(0.15)
    assert found["temperature"] == pytest.approx(0.15)


def test_what_changes_nothing_has_exactly_nothing(tiny: Checkpoint) -> None:
    """A group that no answer depends on gets 0, not a small number."""
    assert points(tiny, lambda seen: 0.2 + 0.3 * seen.given("crp"))["temperature"] == 0.0


def test_what_was_not_given_has_no_bar(tiny: Checkpoint) -> None:
    """A group without a value does not appear."""
    assert "sodium" not in points(tiny, lambda seen: 0.5 + 0.0 * seen.given("sodium"))


@pytest.mark.parametrize(("note", "share"), [(True, 0.1), (False, 0.0)])
def test_what_needs_the_note_is_shared_with_it(tiny: Checkpoint, *, note: bool, share: float) -> None:
    """Half of what a value does only beside the note is the note's own share."""
    found = points(tiny, lambda seen: 0.2 + 0.2 * seen.given("crp") * seen.word("crackles"), Chart(note=note))
    assert found["crp"] == pytest.approx(share)


def test_the_largest_comes_first(tiny: Checkpoint) -> None:
    """Bars are in the order of their size, whichever way they point."""
    rule: Rule = lambda seen: 0.5 + 0.1 * seen.given("crp") - 0.3 * seen.given("temperature")  # noqa: E731
    assert list(points(tiny, rule)) == ["temperature", "crp", "person"]


def test_the_residual_is_the_distance_from_the_share_shown(tiny: Checkpoint) -> None:
    """Bars that belong to another answer are found out."""

    def rule(seen: Seen) -> np.ndarray:
        return 0.2 + 0.3 * seen.given("crp")

    explorer = Planted(tiny, rule)
    _, residual = group_shares(replace(make_case(explorer), structured_points=0.25), explorer)
    assert residual == pytest.approx(0.05)
