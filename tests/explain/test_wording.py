"""Numbers, units and times as a clinician reads them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from explain.evidence import MeasurementEvidence
from explain.wording import (
    counted,
    inside,
    level,
    listed,
    moment,
    normal_range,
    percent,
    quoted,
    reading,
    signed,
    term,
)
from fhir_adapter.measurements.quantities import QUANTITY_OF_KEY, Quantity
from inference.contract import DIAGNOSES
from tests.explain.examples import MEASURED, SEEN_AT, normal_of


def row(key: str, value: float) -> MeasurementEvidence:
    quantity = QUANTITY_OF_KEY[key]
    whole = MeasurementEvidence(key, quantity.name, value, quantity.unit, normal_of(key), 0.0, False, SEEN_AT, "")  # noqa: FBT003
    return replace(whole, outside=level(whole) in {"high", "low"})


@pytest.mark.parametrize(
    ("probability", "text"),
    [(0.0, "0 %"), (0.0001, "under 1 %"), (0.005, "under 1 %"), (0.124, "12 %"), (0.996, "over 99 %"), (1.0, "100 %")],
)
def test_percent_never_claims_certainty(probability: float, text: str) -> None:
    """A probability that is not 0 or 1 is never rounded to 0 % or 100 %."""
    assert percent(probability) == text


@pytest.mark.parametrize(("number", "text"), [(0.842, "+0.84"), (-0.3, "−0.30"), (0.004, "0.00"), (-0.004, "0.00")])
def test_signed(number: float, text: str) -> None:
    """A sign stands before every number but zero, a true minus for a negative one."""
    assert signed(number, 2) == text


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("wbc", 14.0, "14.0 × 10⁹/L"),
        ("temperature", 39.2, "39.2 °C"),
        ("spo2", 92.0, "92 %"),
        ("heart_rate", 128.0, "128/min"),
        ("crp", 96.4, "96 mg/L"),
        ("crp", 3.4, "3.4 mg/L"),
        ("procalcitonin", 0.35, "0.35 ng/mL"),
        ("haemoglobin", 118.0, "118 g/L"),
    ],
)
def test_reading(key: str, value: float, text: str) -> None:
    """A value has the decimals and the unit that clinicians write."""
    assert reading(row(key, value)) == text


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("temperature", 37.94, "37.94 °C"),
        ("temperature", 37.9, "37.9 °C"),
        ("spo2", 94.7, "94.7 %"),
        ("neutrophils", 0.03, "0.03 × 10⁹/L"),
        ("procalcitonin", 0.002, "0.002 ng/mL"),
        ("crp", 5.04, "5.04 mg/L"),
    ],
)
def test_rounding_never_hides_the_abnormal(key: str, value: float, text: str) -> None:
    """A value just outside its normal range is not rounded into it, and a small one not to zero."""
    assert reading(row(key, value)) == text


@pytest.mark.parametrize("quantity", MEASURED, ids=lambda quantity: str(quantity.key))
def test_every_quantity_can_be_written(quantity: Quantity) -> None:
    """No quantity is shown with a raw UCUM unit such as Cel or 10*9/L, and each has a normal range in words."""
    text = reading(row(quantity.key, 12.0)) + normal_range(row(quantity.key, 12.0))
    assert not any(raw in text for raw in ("Cel", "*", "[", "None"))
    assert normal_range(row(quantity.key, 12.0))


@pytest.mark.parametrize(
    ("months", "text"), [(5, "5 months"), (12, "1 year"), (13, "1 year 1 month"), (46.1, "3 years 10 months")]
)
def test_age(months: float, text: str) -> None:
    """An age is given in years and months."""
    assert reading(MeasurementEvidence("age", "Age", months, "mo", None, 0, False, SEEN_AT, "")) == text  # noqa: FBT003


@pytest.mark.parametrize(("value", "text"), [(1.0, "female"), (0.0, "male")])
def test_sex(value: float, text: str) -> None:
    """Sex is given as a word, not as the model's figure."""
    assert reading(MeasurementEvidence("female", "Sex", value, "", None, 0, False, SEEN_AT, "")) == text  # noqa: FBT003


@pytest.mark.parametrize(
    ("key", "text"), [("wbc", "4.8–12.3"), ("temperature", "36.0–37.9"), ("crp", "up to 5"), ("spo2", "from 95")]
)
def test_normal_range(key: str, text: str) -> None:
    """A normal range has one number of decimals; a one-sided range is given in words."""
    assert normal_range(row(key, 1.0)) == text


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("wbc", 4.7, "low"),
        ("wbc", 4.8, "normal"),
        ("wbc", 12.3, "normal"),
        ("wbc", 12.4, "high"),
        ("crp", 0.1, "normal"),
    ],
)
def test_level(key: str, value: float, text: str) -> None:
    """The limits themselves are normal."""
    assert level(row(key, value)) == text


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (datetime(2026, 11, 4, 8, 5, tzinfo=UTC), "4 Nov 2026, 08:05 UTC"),
        (datetime(2026, 1, 14, 23, 0, tzinfo=timezone(timedelta(hours=1))), "14 Jan 2026, 23:00"),
    ],
)
def test_moment(at: datetime, text: str) -> None:
    """A time is shown in the zone it was recorded in, and UTC is named so that nobody takes it for local time."""
    assert moment(at) == text


@pytest.mark.parametrize(
    ("items", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_listed(items: list[str], text: str) -> None:
    """A list reads as in a sentence."""
    assert listed(items) == text


@pytest.mark.parametrize(("number", "text"), [(0, "0 points"), (1, "1 point"), (2, "2 points")])
def test_counted(number: int, text: str) -> None:
    """One is singular."""
    assert counted(number, "point") == text


@pytest.mark.parametrize(
    ("name", "text"),
    [("White blood cells", "white blood cells"), ("C-reactive protein", "C-reactive protein"), ("", "")],
)
def test_inside(name: str, text: str) -> None:
    """A name loses its capital inside a sentence, but not when the capital is its own."""
    assert inside(name) == text


def test_absence_is_quoted() -> None:
    """The label that is no disease is quoted, so that "speaks for no pneumonia" cannot be misread."""
    assert [term(one) for one in DIAGNOSES] == ["“no pneumonia”", "bacterial pneumonia", "viral pneumonia"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no\n  wheeze", "“no wheeze”"),
        ("\u202eon wheeze\x07", "“on wheeze”"),
        ("a" * 20 + " " + "b" * 90, "“" + "a" * 20 + " …”"),
    ],
)
def test_quoted(text: str, shown: str) -> None:
    """A quotation is one line, and says where it was cut."""
    assert quoted(text) == shown
