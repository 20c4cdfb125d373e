from __future__ import annotations

import pytest

from explain.methods.reported import as_reported, fits_together, reported
from inference.contract import MEASUREMENTS, SLOT_OF_KEY
from tests.explain.examples import MEASURED


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("crp", 96.4, 96.0),
        ("crp", 4.26, 4.3),
        ("procalcitonin", 0.234, 0.23),
        ("procalcitonin", 4.26, 4.3),
        ("temperature", 38.64, 38.6),
        ("wbc", 12.34, 12.3),
        ("spo2", 93.6, 94.0),
        ("sodium", 134.7, 135.0),
    ],
)
def test_values_have_the_decimals_a_laboratory_gives(key: str, value: float, expected: float) -> None:
    """Nobody reports a CRP of 96.4172."""
    assert reported(key, value) == expected


@pytest.mark.parametrize("key", [quantity.key for quantity in MEASURED])
def test_the_middle_of_every_quantity_can_be_reported(key: str) -> None:
    """Every quantity of the contract has a value at the middle of its scale, near to it."""
    slot = MEASUREMENTS[SLOT_OF_KEY[key]]
    value = as_reported(key, 0.0)
    assert value is not None
    assert abs(slot.standardise(value)) < 0.2


@pytest.mark.parametrize(("key", "point"), [("spo2", 2.0), ("spo2", -20.0), ("crp", 3.0)])
def test_what_no_patient_can_have_is_no_value(key: str, point: float) -> None:
    """Saturation ends at 100 %, whatever the scale goes on to."""
    assert as_reported(key, point) is None


@pytest.mark.parametrize(
    ("values", "fit"),
    [
        ({"wbc": 10.0, "neutrophils": 6.0, "lymphocytes": 4.0}, True),
        ({"wbc": 10.0, "neutrophils": 6.1, "lymphocytes": 4.0}, False),
        ({"wbc": 5.0, "neutrophils": 6.0}, False),
        ({"neutrophils": 6.0, "lymphocytes": 90.0}, True),
        ({}, True),
    ],
)
def test_parts_of_the_white_cells_are_no_more_than_the_whole(values: dict[str, float], *, fit: bool) -> None:
    """A blood count in which the parts exceed the whole is no blood count."""
    assert fits_together(values) is fit
