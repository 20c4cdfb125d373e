"""The table: each row is sound, and the ranges of ages 1 to 5 that explanations show stay as they were."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from math import inf

import pytest

from fhir_adapter.measurements.quantities import (
    QUANTITIES,
    QUANTITY_OF_KEY,
    QUANTITY_OF_LOINC,
    Limits,
    Normal,
    Quantity,
)
from fhir_adapter.record import Sex

ROWS = pytest.mark.parametrize("quantity", QUANTITIES, ids=lambda quantity: str(quantity.key))


def overlap(one: Normal, other: Normal) -> bool:
    return max(one.since, other.since) < min(one.until, other.until) and (
        one.sex is None or other.sex is None or one.sex == other.sex
    )


def test_no_key_name_or_code_is_there_twice() -> None:
    """A code that means two quantities would mean neither."""
    counts = Counter(text for row in QUANTITIES for text in (f"key {row.key}", f"name {row.name}", *row.loinc))

    assert [text for text, count in counts.items() if count > 1] == []
    assert len(QUANTITY_OF_LOINC) == sum(len(row.loinc) for row in QUANTITIES)


@ROWS
def test_ranges_lie_within_what_is_possible(quantity: Quantity) -> None:
    """What is normal is possible, and every range has its lower limit below its upper one."""
    low, high = quantity.plausible
    limits = [
        (low if band.low is None else band.low, high if band.high is None else band.high) for band in quantity.normal
    ]

    assert all(low <= least < most <= high for least, most in limits)
    assert 0 < quantity.stale_after_h < inf


@ROWS
def test_no_patient_has_two_ranges(quantity: Quantity) -> None:
    """For every age and sex there is one range or none."""
    assert not any(overlap(one, other) for one, other in combinations(quantity.normal, 2))
    assert all(band.since < band.until for band in quantity.normal)


@pytest.mark.parametrize("months", [12.0, 36.0, 71.97])
@pytest.mark.parametrize(
    ("key", "limits"),
    [
        ("temperature", (36.0, 37.9)),
        ("heart_rate", (85, 140)),
        ("respiratory_rate", (20, 37)),
        ("spo2", (95, None)),
        ("wbc", (4.8, 12.3)),
        ("neutrophils", (1.9, 7.3)),
        ("lymphocytes", (1.7, 10.7)),
        ("haemoglobin", (109, 145)),
        ("platelets", (179, 475)),
        ("crp", (None, 5)),
        ("procalcitonin", (None, 0.5)),
        ("sodium", (135, 145)),
    ],
)
def test_ranges_of_ages_one_to_five(key: str, limits: Limits, months: float) -> None:
    """From the first birthday to the day before the sixth, the twelve of the model have one range each, for any sex."""
    assert QUANTITY_OF_KEY[key].normal_at(months) == limits


@pytest.mark.parametrize(
    ("key", "months", "sex", "limits"),
    [
        ("heart_rate", 0.5, "female", (100, 205)),
        ("heart_rate", 12.0 - 0.01, "female", (100, 190)),
        ("heart_rate", 72.0, "male", (75, 118)),
        ("systolic", 36.0, "male", (89, 112)),
        ("haemoglobin", 400.0, "female", (120, 150)),
        ("haemoglobin", 400.0, "male", (130, 170)),
        ("haemoglobin", 400.0, "other", None),
        ("haemoglobin", 400.0, "unknown", None),
        ("haemoglobin", 180.0, "male", None),
        ("heart_rate", None, "male", None),
        ("temperature", None, "unknown", (36.0, 37.9)),
        ("bnp", 36.0, "female", None),
        ("heart_rate", -1.0, "female", None),
    ],
)
def test_range_is_that_of_age_and_sex(key: str, months: float | None, sex: Sex, limits: Limits | None) -> None:
    """A range is for whom it was published; where none is known, none is given."""
    assert QUANTITY_OF_KEY[key].normal_at(months, sex) == limits


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3091-6", "3094-0"),
        ("10839-9", "89579-7"),
        ("10839-9", "6598-7"),
        ("30934-4", "33762-6"),
        ("48065-7", "48066-5"),
        ("2744-1", "2746-6"),
        ("2703-7", "2704-5"),
        ("2345-7", "41653-7"),
    ],
)
def test_what_cannot_be_compared_has_its_own_row(one: str, other: str) -> None:
    """Another substance, another assay or another vessel is another quantity."""
    assert QUANTITY_OF_LOINC[one] is not QUANTITY_OF_LOINC[other]


@pytest.mark.parametrize("code", ["770-8", "736-9", "8339-4", "14937-7", "7799-0", "2028-9", "1558-6", "2713-6"])
def test_what_only_looks_alike_is_not_read(code: str) -> None:
    """Shares of the white cells, birth weight, moles of urea nitrogen and their like are no row's code."""
    assert code not in QUANTITY_OF_LOINC
