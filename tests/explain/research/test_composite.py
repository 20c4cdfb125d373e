from __future__ import annotations

import pytest

from explain.research.check import Checked
from explain.research.composite import above_chance, composite_figures, geometric_mean, localisation_of, share_of
from inference.figures import Figure


def test_geometric_mean_is_sunk_by_a_zero() -> None:
    """0.9, 0.4, 0.6 and 1 give the fourth root of their product; one 0 gives 0."""
    assert geometric_mean([0.9, 0.4, 0.6, 1.0]) == pytest.approx(0.216**0.25)
    assert geometric_mean([0.9, 0.0, 0.6, 1.0]) == 0


@pytest.mark.parametrize(
    ("gain", "reference", "expected"), [(0.05, 0.1, 0.5), (0.2, 0.1, 1.0), (-0.1, 0.1, 0.0), (0.1, 0.0, 0.0)]
)
def test_gain_is_a_share_of_the_reference(gain: float, reference: float, expected: float) -> None:
    """Of what a map can reach; a map behind chance has reached nothing."""
    assert share_of(gain, reference) == pytest.approx(expected)


def test_hits_by_chance_do_not_count() -> None:
    """0.8 where the centre of the film already hits 0.6 is half of what was left to win."""
    assert above_chance(0.8, 0.6) == pytest.approx(0.5)
    assert above_chance(0.5, 0.6) == 0


def test_better_control_is_the_one_that_counts() -> None:
    """Localisation is measured against the better of random and centre; without planted films there is none."""
    planted = {"planted.image": 0.9, "planted.image.random": 0.1, "planted.image.centre": 0.5}

    assert localisation_of(planted) == pytest.approx(0.8)
    assert localisation_of({"planted.text": 0.9}) is None


def test_composite_is_void_where_maps_survive() -> None:
    """A failed randomisation gate makes the composite 0, and says why."""
    parts = (0.9, 0.9, 0.9, 0.9)
    held, void = ({one.name: one.value for one in composite_figures(parts, gone, 9)} for gone in ([], ["image"]))

    assert held["composite"] == pytest.approx(0.9)
    assert held["composite.void"] == 0.0
    assert (void["composite"], void["composite.void"]) == (0.0, 1.0)
    assert void["composite.robustness"] == 0.9


def test_composite_needs_all_its_parts() -> None:
    """Without planted evidence or narratives no composite is printed."""
    checked = Checked([], 0.5, 0.9, [], 10)
    planted, traced = Figure("planted.image", 1.0, "1", 5), Figure("claims_traced", 1.0, "1", 5)

    assert checked.composite([planted]) == checked.composite([traced]) == []
    assert checked.composite([planted, traced])[0].value == pytest.approx(0.45**0.25)
