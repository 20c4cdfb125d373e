from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from explain.methods.helps import entropy, fair_weights, helps
from explain.methods.memories import remember
from explain.tested import Help
from inference.bank import Bank
from inference.checkpoint import Checkpoint
from inference.contract import PATCHES
from tests.explain.methods.planted import Chart, Planted, Rule, Seen, make_arrays, make_case

UNSURE = {"prediction_set": ("bacterial", "viral")}


def find(tiny: Checkpoint, rule: Rule, chart: Chart | None = None, bank: Bank | None = None) -> tuple[Help, ...]:
    explorer = Planted(tiny, rule)
    changes: dict[str, Any] = UNSURE
    case = make_case(explorer, chart, **changes)
    return helps(case, explorer, remember(case, explorer), bank)


def sodium_decides(seen: Seen) -> np.ndarray:
    """Answer one half, until sodium settles it."""
    return 0.5 + 0.4 * np.sign(seen.value("sodium")) + 0.1 * np.sign(seen.value("platelets"))


def half_of_films(seen: Seen) -> np.ndarray:
    """Answer one half, until a film settles it: white or black at its first patch."""
    return 0.5 + 0.4 * np.sign(seen.film[:, 0])


def make_bank() -> Bank:
    """Return films that are white and films that are less than black, as many, and the planted note."""
    films = np.ones((4, PATCHES, 1), np.float32) * np.array([1, 1, -1, -1], np.float32)[:, None, None]
    return Bank(films, make_arrays(Chart())["tokens"])


@pytest.mark.parametrize(("shares", "bits"), [([1.0, 0.0, 0.0], 0.0), ([0.5, 0.5, 0.0], 1.0), ([0.25, 0.25, 0.5], 1.5)])
def test_entropy_is_in_bits(shares: list[float], bits: float) -> None:
    """Two diagnoses of the same probability are one bit apart from certainty."""
    assert float(entropy(np.array(shares))) == pytest.approx(bits)


def test_what_decides_most_comes_first(tiny: Checkpoint) -> None:
    """The input that settles the answer helps more than the one that moves it a little."""
    found = find(tiny, sodium_decides)
    assert [help.key for help in found] == ["sodium", "platelets"]


def test_the_expected_fall_is_that_of_the_planted_model(tiny: Checkpoint) -> None:
    """Sodium says 0.9 or 0.1, as often, and nothing at its middle, one of the seven values."""
    found = find(tiny, sodium_decides)[0]
    rest = [np.array([0.4 * (1 - p), p, 0.6 * (1 - p)]) for p in (0.9, 0.1, 0.5)]
    expected = 6 / 7 * (entropy(rest[2]) - (entropy(rest[0]) + entropy(rest[1])) / 2)
    assert found.entropy_drop == pytest.approx(float(expected), abs=1e-6)


def test_the_set_is_expected_to_shrink(tiny: Checkpoint) -> None:
    """Whatever sodium turns out to be, one diagnosis is left."""
    found = find(tiny, sodium_decides)[0]
    assert found.size_before == 2
    assert found.size_expected == pytest.approx(1.0)


def test_what_changes_nothing_is_not_suggested(tiny: Checkpoint) -> None:
    """No blood is taken for a figure that the model does not use."""
    assert find(tiny, lambda seen: 0.5 + 0.0 * seen.value("sodium")) == ()


def test_what_is_there_is_not_suggested(tiny: Checkpoint) -> None:
    """A measurement that was taken cannot help by arriving."""
    assert find(tiny, sodium_decides, Chart(values={"sodium": 137.0, "platelets": 330.0})) == ()


def test_at_most_three_are_suggested(tiny: Checkpoint) -> None:
    """More would be a list of everything that is missing."""
    keys = ("sodium", "platelets", "haemoglobin", "heart_rate", "procalcitonin")
    assert len(find(tiny, lambda seen: 0.5 + 0.3 * np.sum([np.sign(seen.value(key)) for key in keys], 0))) == 3


def test_a_model_that_drifts_with_every_value_is_not_believed(tiny: Checkpoint) -> None:
    """Where any value at all would raise the answer, no expectation is honest."""
    assert find(tiny, lambda seen: 0.3 + 0.6 * seen.given("sodium")) == ()


def test_a_film_helps_where_the_bank_says_so(tiny: Checkpoint) -> None:
    """An absent film is one of those of the bank."""
    found = find(tiny, half_of_films, Chart(values={"crp": 80.0}), make_bank())
    assert [(help.key, help.name) for help in found] == [("image", "Chest radiograph")]


def test_without_a_bank_nothing_is_said_of_films(tiny: Checkpoint) -> None:
    """What a film may show cannot be made up."""
    assert find(tiny, half_of_films, Chart(values={"crp": 80.0})) == ()


def test_weights_make_the_expected_answer_the_present_one() -> None:
    """The weights are not equal where equal ones would move the answer."""
    answers = np.array([[0.1, 0.9], [0.3, 0.7], [0.9, 0.1]])
    weights = fair_weights(answers, np.array([0.2, 0.8]))
    assert weights is not None
    assert weights @ answers == pytest.approx(np.array([0.2, 0.8]), abs=1e-3)


def test_weights_stay_equal_where_that_is_fair() -> None:
    """Nothing is weighed without a reason."""
    answers = np.array([[0.1, 0.9], [0.3, 0.7], [0.5, 0.5]])
    assert fair_weights(answers, np.array([0.3, 0.7])) == pytest.approx(np.full(3, 1 / 3))


def test_an_answer_outside_all_others_has_no_weights() -> None:
    """No mixture of what may come gives what the model says now."""
    assert fair_weights(np.array([[0.1, 0.9], [0.3, 0.7]]), np.array([0.6, 0.4])) is None
