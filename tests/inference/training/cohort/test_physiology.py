from __future__ import annotations

import numpy as np
import pytest

from fhir_adapter.measurements.quantities import QUANTITY_OF_KEY
from inference.contract import MEASUREMENTS
from inference.training.cohort.blood import day_factor, marker
from inference.training.cohort.parameters import GROUPS, Group
from inference.training.cohort.physiology import correlations
from tests.inference.training.cohort.draws import children, values


@pytest.mark.parametrize(
    ("key", "group", "median", "within"),
    [
        ("crp", "bacterial", 75, 6),
        ("crp", "viral", 22, 2),
        ("crp", "cough", 9, 1.2),
        ("procalcitonin", "bacterial", 2.86, 0.4),
        ("procalcitonin", "viral", 0.387, 0.04),
        ("procalcitonin", "cough", 0.12, 0.02),
        ("wbc", "bacterial", 15.0, 0.5),
        ("wbc", "viral", 12.3, 0.4),
        ("wbc", "cough", 9.5, 0.3),
        ("wbc", "check", 7.7, 0.2),
        ("platelets", "bacterial", 345, 10),
        ("temperature", "cough", 37.6, 0.1),
        ("sodium", "bacterial", 135.4, 0.6),
        ("heart_rate", "check", 112, 4),
    ],
)
def test_medians_are_those_of_the_table(key: str, group: Group, median: float, within: float) -> None:
    """What is drawn has the median that was published for the group."""
    assert float(np.median(values(group, key))) == pytest.approx(median, abs=within)


@pytest.mark.parametrize(
    ("key", "group", "at_least", "share"),
    [
        ("crp", "bacterial", 40, 0.72),
        ("crp", "viral", 40, 0.30),
        ("crp", "cough", 40, 0.14),
        ("crp", "bacterial", 150, 0.25),
        ("procalcitonin", "bacterial", 0.75, 0.74),
        ("procalcitonin", "viral", 0.75, 0.34),
        ("spo2", "bacterial", 97, 0.37),
        ("spo2", "viral", 97, 0.28),
        ("spo2", "cough", 97, 0.74),
        ("spo2", "viral", 93, 0.76),
        ("sodium", "bacterial", 135, 0.63),
        ("sodium", "viral", 135, 0.83),
        ("temperature", "cough", 38, 0.32),
        ("wbc", "bacterial", 15, 0.50),
    ],
)
def test_shares_above_a_cut_off_are_those_of_the_table(key: str, group: Group, at_least: float, share: float) -> None:
    """The tails agree with the published shares, not the middle alone."""
    assert float(np.mean(values(group, key) >= at_least)) == pytest.approx(share, abs=0.035)


@pytest.mark.parametrize("group", GROUPS)
def test_every_value_is_one_a_living_child_can_have(group: Group) -> None:
    """No draw falls outside what the adapter takes for possible, in the adapter's unit."""
    for quantity in (QUANTITY_OF_KEY[slot.key] for slot in MEASUREMENTS if slot.key in QUANTITY_OF_KEY):
        low, high = quantity.plausible
        assert low <= values(group, quantity.key).min() <= values(group, quantity.key).max() <= high


def test_white_cells_add_up() -> None:
    """Neutrophils and lymphocytes are parts of the white cells, never more than all of them."""
    parts = values("viral", "neutrophils") + values("viral", "lymphocytes")

    assert np.all(parts <= values("viral", "wbc") + 0.2)


@pytest.mark.parametrize(
    ("first", "second", "sign"), [("crp", "procalcitonin", 1), ("crp", "sodium", -1), ("temperature", "heart_rate", 1)]
)
def test_measurements_are_tied_within_a_group(first: str, second: str, sign: int) -> None:
    """Two measurements of one illness go together as published, beyond what the diagnosis explains."""
    ranks = [np.argsort(np.argsort(values("bacterial", key))) for key in (first, second)]
    scaled = [(rank - rank.mean()) / rank.std() for rank in ranks]

    assert sign * float(np.mean(scaled[0] * scaled[1])) > 0.2


def test_ties_can_all_hold_at_once() -> None:
    """The correlation matrix is one, with room to spare."""
    assert float(np.linalg.eigvalsh(correlations()).min()) > 0.1


def test_marker_has_not_risen_on_the_first_day() -> None:
    """C-reactive protein of the first day is under a third of that of the fourth, for the same child."""
    first, fourth = (marker("crp", "bacterial", days, (0.5, 0.0)) for days in (1.0, 4.0))

    assert first / fourth == pytest.approx(day_factor("crp", 1.0), rel=0.02)


def test_marker_under_the_assay_limit_is_the_limit() -> None:
    """A laboratory does not report what it cannot measure."""
    assert marker("crp", "check", 3.0, (-2.0, 0.9)) == 5.0


@pytest.mark.parametrize("group", GROUPS)
def test_children_are_one_to_five(group: Group) -> None:
    """The cohort has the ages that the checkpoint is meant for."""
    ages = [child.values["age"] for child in children(group)]

    assert min(ages) >= 12
    assert max(ages) <= 60
