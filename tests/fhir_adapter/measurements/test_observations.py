from datetime import UTC, datetime
from typing import Any

import pytest

from fhir_adapter.measurements.observations import read_measurements
from fhir_adapter.record import GapReason, Measurement
from tests.fhir_adapter.builders import ASKED_AT, Json, concept, observation, quantity


def read(*observations: Json) -> list[Measurement]:
    return list(read_measurements(observations, ASKED_AT)[0])


def reasons(*observations: Json) -> list[tuple[str, GapReason, str]]:
    return [(gap.item, gap.reason, gap.detail) for gap in read_measurements(observations, ASKED_AT)[1]]


def test_result_is_read_with_its_source() -> None:
    """A final result becomes a measurement in the quantity's unit that can be traced to its version."""
    [found] = read(observation(valueQuantity=quantity(4.8, "mg/dL")))

    assert (found.key, found.loinc, found.value, found.unit) == ("crp", "1988-5", 48.0, "mg/L")
    assert str(found.source) == "Observation/crp-1/_history/1"
    assert found.taken_at == datetime(2026, 11, 24, 8, tzinfo=UTC)


@pytest.mark.parametrize("status", ["final", "amended", "corrected"])
def test_confirmed_result_is_read(status: str) -> None:
    """A result that somebody stands behind is used."""
    assert len(read(observation(status=status))) == 1


@pytest.mark.parametrize(
    "status", ["registered", "preliminary", "cancelled", "entered-in-error", "unknown", "", None, 5, ["final"], "Final"]
)
def test_unconfirmed_result_is_dropped(status: object) -> None:
    """A result that nobody stands behind never reaches the model, and is no gap either."""
    assert read_measurements([observation(status=status)], ASKED_AT) == ((), ())


def test_result_about_something_else_is_dropped() -> None:
    """An Observation with a focus is not about the patient: a donor's or a foetus' heart rate."""
    assert read_measurements([observation(focus=[{"reference": "Patient/other"}])], ASKED_AT) == ((), ())


@pytest.mark.parametrize(
    ("code", "known"),
    [
        (concept("1988-5"), True),
        (concept("local", "1988-5"), True),
        (concept("1988-5", system="urn:oid:2.16.840.1.113883.6.1"), True),
        (concept("1988-5", system="http://snomed.info/sct"), False),
        (concept("1988-5", system=""), False),
        (concept("99999-9"), False),
        (concept(), False),
        ({"text": "CRP"}, False),
        ([], False),
        (None, False),
        ({"coding": [None, 5, {"code": 5}]}, False),
    ],
)
def test_only_a_loinc_code_says_what_it_is(code: Any, known: bool) -> None:  # noqa: FBT001 - a table's column
    """A result is recognised by its LOINC code, not by a text or another system's code."""
    assert bool(read(observation(code=code))) is known


@pytest.mark.parametrize("codes", [("2708-6", "59408-5"), ("59408-5", "2708-6")])
def test_preferred_code_names_the_source(codes: tuple[str, str]) -> None:
    """Of several codes for one quantity, the preferred one is kept, whatever their order."""
    [found] = read(observation(code=concept(*codes), valueQuantity=quantity(95, "%")))

    assert (found.key, found.loinc) == ("spo2", "59408-5")


@pytest.mark.parametrize("comparator", ["<", "<=", ">", ">="])
def test_value_beyond_a_limit_counts_as_the_limit(comparator: str) -> None:
    """A value below 5 is the laboratory's 5: the nearest number it did state."""
    [found] = read(observation(valueQuantity=quantity(5, comparator=comparator)))

    assert found.value == 5


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (quantity(48, "furlong"), GapReason.UNREADABLE),
        ({"value": 48}, GapReason.UNREADABLE),
        (quantity("48"), GapReason.UNREADABLE),
        (quantity(None), GapReason.UNREADABLE),
        (quantity(value=True), GapReason.UNREADABLE),
        (quantity([48]), GapReason.UNREADABLE),
        (quantity(5, comparator="~"), GapReason.UNREADABLE),
        (quantity(5, comparator=["<"]), GapReason.UNREADABLE),
        ({}, GapReason.UNREADABLE),
        (None, GapReason.UNREADABLE),
        (quantity(9000), GapReason.IMPLAUSIBLE),
        (quantity(-1), GapReason.IMPLAUSIBLE),
        (quantity(0), GapReason.IMPLAUSIBLE),
        (quantity(1e308, "g/dL"), GapReason.IMPLAUSIBLE),
    ],
)
def test_value_that_cannot_be_used_is_a_gap(value: object, reason: GapReason) -> None:
    """A number without a known unit, or one no living patient has, is named by quantity and never shown."""
    [(item, found, detail)] = reasons(observation(valueQuantity=value))

    assert (item, found) == ("C-reactive protein", reason)
    assert "9000" not in detail


def test_ucum_code_stands_before_the_printed_unit() -> None:
    """The code says what the number means; the printed unit is for people."""
    [found] = read(observation(valueQuantity=quantity(4.8, "mg/L", code="mg/dL")))

    assert found.value == 48


@pytest.mark.parametrize("changes", [{"system": "urn:local", "code": "77"}, {"system": None, "code": None}])
def test_printed_unit_is_read_where_no_ucum_code_is_given(changes: Json) -> None:
    """A local unit code means nothing to us; then the printed unit is read."""
    [found] = read(observation(valueQuantity=quantity(4.8, "mg/dL", **changes)))

    assert found.value == 48


def test_same_trouble_is_told_once() -> None:
    """Forty readings in an unknown unit are one gap."""
    assert len(reasons(*[observation(id=str(n), valueQuantity=quantity(5, "furlong")) for n in range(40)])) == 1


def test_panel_components_are_read() -> None:
    """A panel's components have their own codes and values, and the panel's date."""
    panel = observation(
        "85353-1",
        component=[
            {"code": concept("8867-4"), "valueQuantity": quantity(150, "/min")},
            {"code": concept("9279-1"), "valueQuantity": quantity(44, "/min")},
            {"code": concept("3151-8"), "valueQuantity": quantity(6, "L/min")},
        ],
    )

    assert {found.key: found.value for found in read(panel)} == {"heart_rate": 150, "respiratory_rate": 44}
    assert {found.source.reference for found in read(panel)} == {"Observation/crp-1"}


@pytest.mark.parametrize(("status", "values"), [("final", [150.0]), ("entered-in-error", []), (None, [])])
def test_contained_panel_members_are_read(status: str | None, values: list[float]) -> None:
    """A member that lies inside the panel is read when it is confirmed; a member elsewhere arrives on its own."""
    inner = observation("8867-4", id="hr", status=status, valueQuantity=quantity(150, "/min"), effectiveDateTime=None)
    members = [{"reference": "#hr"}, {"reference": "Observation/elsewhere"}]

    found = read(observation("85353-1", contained=[inner], hasMember=members, valueQuantity=None))

    assert [each.value for each in found] == values


@pytest.mark.parametrize(
    ("dates", "taken_at"),
    [
        ({"effectiveDateTime": "2026-11-24"}, datetime(2026, 11, 24, tzinfo=UTC)),
        ({"effectiveDateTime": "2026-11-24T08:00:00+02:00"}, datetime(2026, 11, 24, 6, tzinfo=UTC)),
        ({"effectiveInstant": "2026-11-24T08:00:00Z"}, datetime(2026, 11, 24, 8, tzinfo=UTC)),
        ({"effectivePeriod": {"start": "2026-11-23", "end": "2026-11-24"}}, datetime(2026, 11, 24, tzinfo=UTC)),
        ({"effectivePeriod": {"start": "2026-11-23"}}, datetime(2026, 11, 23, tzinfo=UTC)),
        ({"issued": "2026-11-24T09:00:00Z"}, datetime(2026, 11, 24, 9, tzinfo=UTC)),
        ({"effectiveDateTime": "?", "issued": "2026-11-24T09:00:00Z"}, datetime(2026, 11, 24, 9, tzinfo=UTC)),
    ],
)
def test_every_way_to_date_a_result(dates: Json, taken_at: datetime) -> None:
    """A result is dated by when it was taken; by when it was reported only where that is all there is."""
    [found] = read(observation(**{"effectiveDateTime": None, **dates}))

    assert found.taken_at == taken_at


@pytest.mark.parametrize(
    ("date", "reason"),
    [(None, GapReason.UNREADABLE), ("soon", GapReason.UNREADABLE), ("2026-11-26", GapReason.IMPLAUSIBLE)],
)
def test_result_without_a_sound_date_is_a_gap(date: str | None, reason: GapReason) -> None:
    """A result that is not dated, or dated in the future, says nothing about now."""
    assert [found for _, found, _ in reasons(observation(effectiveDateTime=date))] == [reason]


def test_day_of_a_zone_ahead_is_not_the_future() -> None:
    """A date without a zone may be tomorrow here; that is no error."""
    assert len(read(observation(effectiveDateTime="2026-11-25"))) == 1


def test_readings_are_kept_newest_first() -> None:
    """All readings of a quantity are kept, the newest first, whatever the order of the server."""
    days = ["2026-11-22", "2026-11-24", "2026-11-23"]

    found = read(*[observation(id=day, effectiveDateTime=day) for day in days])

    assert [each.source.reference for each in found] == [f"Observation/{day}" for day in sorted(days, reverse=True)]


@pytest.mark.parametrize(
    "broken", [{}, {"status": "final"}, {"status": "final", "code": 5, "component": 7, "hasMember": 3}]
)
def test_resource_of_any_shape_is_survived(broken: Json) -> None:
    """A resource that is nothing like an Observation is nothing, not a crash."""
    assert read_measurements([broken], ASKED_AT) == ((), ())
