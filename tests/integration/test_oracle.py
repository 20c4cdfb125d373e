"""The oracle itself, offline: it must see what it is there to see."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from fhir_adapter.record import Gap, GapReason, Measurement, Source
from tests.integration.oracle import Json, Reading, is_beyond_the_newest, readings, rule_against, sent
from tests.integration.units_by_hand import converted

AT = datetime(2020, 3, 20, 9, 0, tzinfo=UTC)
IMPLAUSIBLE = (Gap("structured", "White blood cells", GapReason.IMPLAUSIBLE),)
UNREADABLE = (Gap("structured", "White blood cells", GapReason.UNREADABLE),)
WBC = Reading("Observation/w", frozenset({"6690-2"}), 4.5, "10*3/uL", AT)
READ = Measurement("wbc", "6690-2", 4.5, "10*9/L", AT, Source("Observation/w", "1"))


def observation(**changes: Any) -> Json:
    """Return a white blood count of 23:30 UTC on the 17th."""
    return {
        "resourceType": "Observation",
        "id": "w",
        "status": "final",
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "6690-2"}]},
        "effectiveDateTime": "2020-03-18T00:30:00+01:00",
        "valueQuantity": {"value": 4.5, "code": "10*3/uL"},
        **changes,
    }


@pytest.mark.parametrize(
    ("value", "unit", "wanted", "loinc", "expected"),
    [
        (1, "furlong", "m", "", None),
        (1, "mg/dL", "mmol/L", "1988-5", None),
        (1, "mg/L", "mmol/h", "2345-7", None),
        (98.6, "[degF]", "Cel", "8310-5", 37.0),
        (4.5, "K/uL", "10*9/L", "6690-2", 4.5),
        (14000, "/uL", "10*9/L", "6690-2", 14.0),
        (9.6, "mg/dL", "mg/L", "1988-5", 96.0),
        (11.4, "g/dL", "g/L", "718-7", 114.0),
        (90, "mg/dL", "mmol/L", "2345-7", 4.99567),
        (5, "mmol/L", "mg/dL", "2345-7", 90.078),
        (1, "mg/dL", "umol/L", "2160-0", 88.4017),
    ],
)
def test_units_are_converted_by_hand(value: float, unit: str, wanted: str, loinc: str, expected: float | None) -> None:
    """The table gives the known figures, and nothing for what it does not know."""
    assert converted(value, unit, wanted, loinc) == (expected if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    "other",
    [
        replace(READ, value=4.51),
        replace(READ, value=4500.0),
        replace(READ, unit="10*3/L"),
        replace(READ, loinc="718-7"),
        replace(READ, taken_at=AT + timedelta(seconds=1)),
        replace(READ, source=Source("Observation/v", "1")),
    ],
)
def test_what_differs_in_anything_is_another_number(other: Measurement) -> None:
    """Value, unit, code, instant and resource must all be those of the source."""
    assert (WBC.is_read_as(READ), WBC.is_read_as(other)) == (True, False)


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ({"status": "entered-in-error"}, 0),
        ({"status": "preliminary"}, 0),
        ({"code": {"coding": [{"system": "http://loinc.org", "code": "0000-0"}]}}, 0),
        ({"code": {"coding": [{"system": "urn:x", "code": "6690-2"}]}}, 0),
        ({"resourceType": "Condition"}, 0),
        ({}, 1),
        ({"component": [{"code": observation()["code"], "valueQuantity": {"value": 1, "code": "/uL"}}]}, 2),
    ],
)
def test_only_numbers_of_the_table_are_expected(changes: Json, count: int) -> None:
    """A number counts that somebody stands behind and that has a wanted LOINC code, in components too."""
    assert len(list(readings([observation(**changes)]))) == count


@pytest.mark.parametrize(
    ("template", "today", "count"),
    [
        ("Observation?category=laboratory&date=ge{{today() - 3 days}}&_count=100", date(2020, 3, 21), 0),
        ("Observation?category=laboratory&date=ge{{today() - 3 days}}&_count=100", date(2020, 3, 20), 1),
        ("Observation?category=vital-signs&date=ge{{today() - 3 days}}", date(2020, 3, 20), 0),
        ("DocumentReference?date=ge{{today() - 30 days}}", date(2020, 3, 20), 0),
    ],
)
def test_window_is_that_of_the_template(template: str, today: date, count: int) -> None:
    """What a server sends is of the type, the category and the days that the template asks for, days being of UTC."""
    assert len(sent(template, [observation()], today)) == count


@pytest.mark.parametrize(
    ("reading", "gaps", "rule"),
    [
        (WBC, (), ""),
        (WBC, IMPLAUSIBLE, ""),
        (replace(WBC, value=1e6), (), ""),
        (replace(WBC, value=1e6), UNREADABLE, ""),
        (replace(WBC, value=1e6), IMPLAUSIBLE, "no living patient has it"),
        (replace(WBC, at=AT + timedelta(days=9)), (), ""),
        (replace(WBC, at=AT + timedelta(days=9)), IMPLAUSIBLE, "it is dated in the future"),
        (replace(WBC, unit="furlong"), UNREADABLE, ""),
    ],
)
def test_absence_needs_a_rule_and_its_gap(reading: Reading, gaps: tuple[Gap, ...], rule: str) -> None:
    """A number may be left out for a reason that the record tells, and for no other."""
    assert (rule_against(reading, (), gaps, AT) or "") == rule


def test_number_that_is_there_under_another_resource_was_reported_twice() -> None:
    """The same value of the same quantity at the same instant is in the record already."""
    assert rule_against(replace(WBC, reference="Observation/v"), (READ,), (), AT) == "it was reported twice"


@pytest.mark.parametrize(
    ("newer", "in_record", "beyond"), [(100, True, True), (99, True, False), (100, False, False), (0, True, False)]
)
def test_number_beyond_the_newest_needs_a_newer_one(newer: int, in_record: bool, beyond: bool) -> None:  # noqa: FBT001
    """Older than a hundred of its category it may be left out, where the record has a newer one of its quantity."""
    later = (AT + timedelta(hours=1)).isoformat()
    category = [
        observation(effectiveDateTime=AT.isoformat()),
        *(observation(id=f"n{number}", effectiveDateTime=later) for number in range(newer)),
    ]
    record = (replace(READ, taken_at=AT + timedelta(hours=1)),) if in_record else ()

    assert is_beyond_the_newest(WBC, category, record) is beyond
