"""Every form that a value can have in R4 and R5."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_adapter.measurements.quantities import QUANTITY_OF_KEY
from fhir_adapter.measurements.values import Unusable, number_of
from fhir_adapter.record import GapReason
from tests.fhir_adapter.builders import Json, quantity

CRP = QUANTITY_OF_KEY["crp"]
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"


def detail_of(content: Json) -> str:
    result = number_of(content, CRP)
    assert isinstance(result, Unusable)
    return result.detail


def absent(*codes: str) -> Json:
    return {"dataAbsentReason": {"coding": [{"system": ABSENT, "code": code} for code in codes]}}


@pytest.mark.parametrize("comparator", ["<", "<=", ">", ">="])
def test_value_beyond_a_limit_counts_as_the_limit(comparator: str) -> None:
    """A value below 5 is the laboratory's 5: the nearest number it did state."""
    assert number_of({"valueQuantity": quantity(5, comparator=comparator)}, CRP) == 5


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        (quantity(48, "furlong"), "its unit is not known"),
        (quantity(48, "mg/L", code="furlong"), "its unit is not known"),
        (quantity(48, "nmol/L"), "its unit is not known"),
        ({"value": 48}, "it has no unit"),
        ({"value": 48, "unit": " ", "code": 5}, "it has no unit"),
        (quantity("48"), "its number is a text"),
        (quantity("<5"), "its number is a text"),
        (quantity(None), "it holds no number"),
        (quantity(value=True), "it holds no number"),
        (quantity([48]), "it holds no number"),
        (quantity({"value": 48}), "it holds no number"),
        (quantity(5, comparator="ad"), "its comparator is not known"),
        (quantity(5, comparator="~"), "its comparator is not known"),
        (quantity(5, comparator=["<"]), "its comparator is not known"),
        (quantity(5, comparator=None), "its comparator is not known"),
        ({}, "it holds no number"),
        ([], "it holds no number"),
        ("48 mg/L", "it holds no number"),
    ],
)
def test_quantity_that_says_no_number_is_not_guessed(value: object, detail: str) -> None:
    """Without a number, a comparator we know and a unit we know there is no value, and the reason is told."""
    assert detail_of({"valueQuantity": value}) == detail


@pytest.mark.parametrize(
    "value", [quantity(9000), quantity(-1), quantity(0), quantity(1e308, "g/dL"), quantity(float("nan")),
              quantity(float("inf")), quantity(10**400), quantity(-(10**400), "mg/dL")]
)  # fmt: skip
def test_number_that_no_patient_can_have_is_refused(value: Json) -> None:
    """A number outside what is possible is refused, whatever its size, and never shown."""
    assert number_of({"valueQuantity": value}, CRP) == Unusable(GapReason.IMPLAUSIBLE)


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        ({"valueString": "48"}, "it is a text, not a number"),
        ({"valueInteger": 48}, "it is a number without a unit"),
        ({"valueCodeableConcept": {"text": "high"}}, "it is a finding in words, not a number"),
        ({"valueRange": {"low": quantity(4), "high": quantity(6)}}, "it is a range, not one number"),
        ({"valueRatio": {"numerator": quantity(4), "denominator": quantity(1)}}, "it is a ratio, not one number"),
        (
            {"valueSampledData": {"origin": quantity(0), "period": 10, "dimensions": 1, "data": "1 2 3"}},
            "it is a series of samples, not one number",
        ),
        ({"valueBoolean": True}, "it holds no number"),
        ({"valueDateTime": "2026"}, "it holds no number"),
        ({"valueAttachment": {}}, "it holds no number"),
        ({"valueQuantity": quantity(5), "valueString": "5"}, "it holds two values"),
        ({}, "it holds no value"),
        ({"valueQuantity": None}, "it holds no value"),
    ],
)
def test_other_forms_are_told_and_not_turned_into_a_number(content: Json, detail: str) -> None:
    """Only a Quantity is one number with a unit; the middle of a range would be ours, not the laboratory's."""
    assert detail_of(content) == detail


@pytest.mark.parametrize("parts", [{"component": []}, {"hasMember": [{"reference": "Observation/1"}]}])
def test_heading_of_a_panel_lacks_nothing(parts: Json) -> None:
    """A panel says its values in its parts: that it has none itself is no gap."""
    assert number_of(parts, CRP) is None


@pytest.mark.parametrize(
    ("codes", "reason", "detail"),
    [
        (("unknown",), GapReason.MISSING, "its value is not known"),
        (("not-performed",), GapReason.MISSING, "it was not performed"),
        (("masked",), GapReason.MISSING, "it is withheld"),
        (("error",), GapReason.UNREADABLE, "the measurement failed"),
        (("positive-infinity",), GapReason.UNREADABLE, "it is above what can be measured"),
        (("local", "not-performed"), GapReason.MISSING, "it was not performed"),
        (("local",), GapReason.MISSING, "no known reason is given"),
        ((), GapReason.MISSING, "no known reason is given"),
    ],
)
def test_absent_value_is_told_with_its_meaning(codes: tuple[str, ...], reason: GapReason, detail: str) -> None:
    """DataAbsentReason becomes words for a clinician."""
    assert number_of(absent(*codes), CRP) == Unusable(reason, detail)


@pytest.mark.parametrize("concept", [None, 5, [], {"text": "haemolysed"}])
def test_absent_reason_of_any_shape_is_survived(concept: Any) -> None:
    """A reason that is no CodeableConcept is still a reason."""
    assert detail_of({"dataAbsentReason": concept}) == "no known reason is given"


def test_value_with_a_reason_for_none_is_a_contradiction() -> None:
    """R4 forbids both (obs-6); then neither is believed."""
    assert detail_of({"valueQuantity": quantity(5), **absent("error")}) == "it has a value and a reason for none"


def test_ucum_code_stands_before_the_printed_unit() -> None:
    """The code says what the number means; the printed unit is for people."""
    assert number_of({"valueQuantity": quantity(4.8, "mg/L", code="mg/dL")}, CRP) == 48


@pytest.mark.parametrize("changes", [{"system": "urn:local", "code": "77"}, {"system": None, "code": None}])
def test_printed_unit_is_read_where_no_ucum_code_is_given(changes: Json) -> None:
    """A local unit code means nothing to us; then the printed unit is read."""
    assert number_of({"valueQuantity": quantity(4.8, "mg/dL", **changes)}, CRP) == 48
