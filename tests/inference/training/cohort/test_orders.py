from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from inference.contract import MEASUREMENTS
from inference.training.cohort import draw_case
from inference.training.cohort.grammar import GrammarName
from inference.training.cohort.orders import ALL, draw_hours, draw_orders
from inference.training.cohort.stream import Stream
from tests.inference.training.cohort.draws import FloatArray, cases, separation


def masks(label: str, grammar: GrammarName) -> FloatArray:
    """Return what is missing and how old the rest is, (cases, 2 x slots + 1), as a model could see it."""
    return np.array(
        [
            [float(slot.key in case.values) for slot in MEASUREMENTS]
            + [case.hours.get(slot.key, 0.0) for slot in MEASUREMENTS]
            + [float(case.note is None)]
            for case in cases(label, grammar)
        ]
    )


@pytest.mark.parametrize("grammar", ["train", "test"])
@pytest.mark.parametrize("other", ["viral", "normal"])
def test_what_is_missing_tells_nothing(other: str, grammar: GrammarName) -> None:
    """From masks and ages of values alone, no class can be told from another."""
    assert separation(masks("bacterial", grammar), masks(other, grammar)) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("label", ["normal", "viral"])
def test_orders_do_not_depend_on_the_class(label: str) -> None:
    """The same generator orders the same tests at the same hours, whatever the child has."""
    case, bacterial = (draw_case(name, np.random.default_rng(5)) for name in (label, "bacterial"))

    assert case.hours == bacterial.hours


@pytest.mark.parametrize("key", ALL)
def test_every_single_measurement_is_missing_now_and_then(key: str) -> None:
    """In training each quantity is absent in some cases and present in others."""
    share = float(np.mean([key in case.values for case in cases("viral", "train")]))

    assert 0.1 < share < 0.999


def test_training_meets_empty_and_full_records() -> None:
    """Nothing but demographics, and everything at once, both occur in training."""
    counts = [len(set(case.values) - {"age", "female"}) for case in cases("viral", "train")]

    assert min(counts) == 0
    assert max(counts) == len(ALL) - 2


def test_judged_cases_have_the_published_order_shares() -> None:
    """With the mix of places, half of the children have a blood count and a seventh a procalcitonin."""
    stream = Stream(np.random.default_rng(8))
    orders = [draw_orders(stream, "published") for _ in range(4000)]

    assert np.mean(["wbc" in order for order in orders]) == pytest.approx(0.56, abs=0.03)
    assert np.mean(["procalcitonin" in order for order in orders]) == pytest.approx(0.166, abs=0.03)


def test_values_are_at_most_three_days_old() -> None:
    """Vital signs are from the last day, blood values from the last three, and samples share their time."""
    stream = Stream(np.random.default_rng(9))
    drawn = [draw_hours(stream) for _ in range(2000)]

    assert max(hours["temperature"] for hours in drawn) < 24
    assert 48 < max(hours["crp"] for hours in drawn) <= 72
    assert all(hours["wbc"] == hours["neutrophils"] for hours in drawn)


def test_masks_would_be_found_if_they_told_something() -> None:
    """The check above is able to fail: a test ordered more often in one class is noticed."""
    leaking = masks("viral", "test")
    leaking[:, 5] = np.random.default_rng(4).random(len(leaking)) < 0.6

    assert roc_auc_score(np.repeat([1, 0], len(leaking)), np.r_[masks("bacterial", "test")[:, 5], leaking[:, 5]]) > 0.6
