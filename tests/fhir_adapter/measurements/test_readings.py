"""Where in an Observation readings are found, and what each inherits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from fhir_adapter.measurements.readings import Reading, readings_of
from tests.fhir_adapter.builders import Json, concept, observation, quantity

EIGHT = datetime(2026, 11, 24, 8, tzinfo=UTC)


def read(one: Json) -> list[Reading]:
    return list(readings_of(one))


def pulse(**changes: Any) -> Json:
    changes = {"id": "hr", "effectiveDateTime": None, "valueQuantity": quantity(150, "/min"), **changes}
    return observation("8867-4", **changes)


def panel(*inside: Json, by: str = "hasMember", **changes: Any) -> Json:
    references = [{"reference": f"#{each['id']}"} for each in inside]
    return observation("85353-1", contained=list(inside), valueQuantity=None, **{by: references, **changes})


@pytest.mark.parametrize(
    ("code", "known"),
    [
        (concept("1988-5"), True),
        (concept("local", "1988-5"), True),
        (concept("1988-5", system="urn:oid:2.16.840.1.113883.6.1"), True),
        (concept("1988-5", system="http://snomed.info/sct"), False),
        (concept("1988-5", system=""), False),
        (concept("1988-5", "718-7"), False),
        (concept("99999-9"), False),
        (concept(), False),
        ({"text": "CRP"}, False),
        ([], False),
        (None, False),
        ({"coding": [None, 5, {"code": 5}]}, False),
    ],
)
def test_only_a_loinc_code_says_what_it_is(code: Any, known: bool) -> None:  # noqa: FBT001 - a table's column
    """A result is recognised by its LOINC code, not by a text or another system's; codes of two quantities are none."""
    assert bool(read(observation(code=code))) is known


@pytest.mark.parametrize("codes", [("2708-6", "59408-5"), ("59408-5", "2708-6")])
def test_preferred_code_names_the_source(codes: tuple[str, str]) -> None:
    """Of several codes for one quantity, the preferred one is kept, whatever their order."""
    [found] = read(observation(code=concept(*codes)))

    assert (found.quantity.key, found.loinc) == ("spo2", "59408-5")


@pytest.mark.parametrize("code", ["85354-9", "55284-4"])
def test_blood_pressure_is_read_from_its_components(code: str) -> None:
    """The panel's components have codes of their own, and the panel's date, status and source."""
    parts = [
        {"code": concept("8480-6"), "valueQuantity": quantity(98, "mm[Hg]")},
        {"code": concept("8462-4"), "valueQuantity": quantity(60, "mm[Hg]")},
        {"code": concept("99999-9"), "valueQuantity": quantity(6)},
    ]

    found = read(observation(code, component=parts, valueQuantity=None))

    assert {each.quantity.key: each.content for each in found} == {"systolic": parts[0], "diastolic": parts[1]}
    assert {(each.taken_at, each.status, each.source.reference) for each in found} == {
        (EIGHT, "final", "Observation/crp-1")
    }


def test_panel_with_a_value_of_its_own_has_it_and_those_of_its_parts() -> None:
    """Oxygen saturation carries flow and concentration as components (US Core)."""
    parts = [{"code": concept("3151-8")}, {"code": concept("3150-0")}]

    found = read(observation("2708-6", component=parts))

    assert [each.quantity.key for each in found] == ["spo2", "oxygen_flow", "fio2"]


@pytest.mark.parametrize("changes", [{"status": "entered-in-error"}, {"status": "cancelled"}, {"focus": [{}]}])
def test_withdrawn_panel_holds_nothing(changes: Json) -> None:
    """What nobody stands behind, or what is of a donor or a foetus, is nothing, and so are its parts."""
    parts = [{"code": concept("8867-4"), "valueQuantity": quantity(150, "/min")}]

    assert read(panel(pulse(), component=parts, **changes)) == []


def test_contained_member_is_read_with_the_time_of_its_panel() -> None:
    """A member that lies inside the panel would be missed otherwise; it is cited as the panel."""
    [found] = read(panel(pulse()))

    assert (found.quantity.key, found.taken_at, found.source.reference) == ("heart_rate", EIGHT, "Observation/crp-1")


@pytest.mark.parametrize("changes", [{"status": "entered-in-error"}, {"focus": [{"reference": "Group/1"}]}])
def test_withdrawn_member_is_not_read(changes: Json) -> None:
    """A panel that counts does not make up for a member that does not."""
    assert read(panel(pulse(**changes))) == []


def test_status_is_that_of_the_member() -> None:
    """A panel may be preliminary while some of its members are final."""
    assert [each.status for each in read(panel(pulse(), status="preliminary"))] == ["final"]


def test_member_elsewhere_arrives_on_its_own() -> None:
    """A reference to a resource of its own holds nothing here."""
    assert read(observation("85353-1", hasMember=[{"reference": "Observation/hr"}])) == []


def test_contained_resource_that_nothing_refers_to_is_not_read() -> None:
    """Only members and origins are part of a result."""
    assert read(observation("85353-1", contained=[pulse()])) == []


def test_members_are_read_once_at_any_depth_and_in_circles() -> None:
    """Panels inside panels are followed, each contained resource once, even where they refer to one another."""
    to_panel, to_pulse = {"reference": "#p"}, {"reference": "#hr"}
    inner = observation("85353-1", id="p", component=[{"code": concept("9279-1")}], hasMember=[to_pulse, to_panel])
    outer = observation("85353-1", contained=[inner, pulse(hasMember=[to_panel])], hasMember=[to_panel] * 3)

    assert sorted(each.quantity.key for each in read(outer)) == ["heart_rate", "respiratory_rate"]


@pytest.mark.parametrize(("own", "taken_at"), [("2026-11-23", datetime(2026, 11, 23, tzinfo=UTC)), (None, None)])
def test_origin_has_a_time_of_its_own_or_none(own: str | None, taken_at: datetime | None) -> None:
    """What a mean was worked out from was measured at other times than the mean is of."""
    [found] = read(panel(pulse(effectiveDateTime=own), by="derivedFrom"))

    assert found.taken_at == taken_at


@pytest.mark.parametrize(
    ("dates", "taken_at"),
    [
        ({"effectiveDateTime": "2026-11-24"}, datetime(2026, 11, 24, tzinfo=UTC)),
        ({"effectiveDateTime": "2026-11-24T08:00:00+02:00"}, datetime(2026, 11, 24, 6, tzinfo=UTC)),
        ({"effectiveInstant": "2026-11-24T08:00:00Z"}, EIGHT),
        ({"effectivePeriod": {"start": "2026-11-23", "end": "2026-11-24"}}, datetime(2026, 11, 24, tzinfo=UTC)),
        ({"effectivePeriod": {"start": "2026-11-23"}}, datetime(2026, 11, 23, tzinfo=UTC)),
        ({"effectiveTiming": {"event": ["2026-11-23", "2026-11-24T08:00:00Z", "2026-11-22"]}}, EIGHT),
        ({"effectiveTiming": {"repeat": {"boundsPeriod": {"end": "2026-11-24T08:00:00Z"}}}}, EIGHT),
        ({"issued": "2026-11-24T08:00:00Z"}, EIGHT),
        ({"effectiveDateTime": "?", "issued": "2026-11-24T08:00:00Z"}, EIGHT),
        ({"effectiveDateTime": "?", "effectiveTiming": {"code": {"text": "daily"}}}, None),
    ],
)
def test_every_way_to_date_a_result(dates: Json, taken_at: datetime | None) -> None:
    """A result is dated by when it was taken; by when it was reported only where that is all there is."""
    [found] = read(observation(**{"effectiveDateTime": None, **dates}))

    assert found.taken_at == taken_at


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"status": "final"},
        {"status": "final", "code": 5, "component": 7, "hasMember": 3},
        {"contained": 5, "hasMember": [None, {"reference": 5}]},
        {"contained": [None, 5, {"id": 5}], "hasMember": [{"reference": "#"}], "component": [[], None, {"code": []}]},
    ],
)
def test_resource_of_any_shape_is_survived(broken: Json) -> None:
    """A resource that is nothing like an Observation is nothing, not a crash."""
    assert read(broken) == []
