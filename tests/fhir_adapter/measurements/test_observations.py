from datetime import UTC, datetime

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


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
def test_withdrawn_result_is_nothing(status: object) -> None:
    """A result that was taken back never reaches the model, and is no gap either."""
    assert read_measurements([observation(status=status)], ASKED_AT) == ((), ())


@pytest.mark.parametrize(
    ("status", "detail"),
    [
        ("registered", "its result is awaited"),
        ("preliminary", "there is only a preliminary result"),
        ("unknown", "nobody states that its result is final"),
    ],
)
def test_awaited_result_is_told(status: str, detail: str) -> None:
    """A result that nobody stands behind yet is not used, and a clinician hears that it is on its way."""
    found = observation(status=status)

    assert read(found) == []
    assert reasons(found) == [("C-reactive protein", GapReason.MISSING, detail)]


@pytest.mark.parametrize("status", ["", None, 5, ["final"], "Final", "signed"])
def test_result_of_no_known_status_is_told(status: object) -> None:
    """A status that FHIR does not know says nothing about the result, so it is not used and not passed over."""
    found = observation(status=status)

    assert read(found) == []
    assert reasons(found) == [("C-reactive protein", GapReason.UNREADABLE, "its status is not known")]


@pytest.mark.parametrize(
    "absent", [{"status": "preliminary"}, {"valueQuantity": None, "dataAbsentReason": concept("not-performed")}]
)
def test_what_is_on_file_is_not_called_missing(absent: Json) -> None:
    """Beside a result, another that is awaited or was not performed is no gap."""
    assert reasons(observation(), observation(id="other", **absent)) == []


def test_value_that_cannot_be_read_is_told_beside_others() -> None:
    """An unreadable or impossible value is told even where another one was read: it may be the newer one."""
    assert [found for _, found, _ in reasons(observation(), observation(id="b", valueQuantity=quantity(9000)))] == [
        GapReason.IMPLAUSIBLE
    ]


def test_gap_holds_no_value() -> None:
    """A gap names the quantity and the reason, never the number."""
    assert "9000" not in str(reasons(observation(valueQuantity=quantity(9000, "furlong"))))


def test_same_trouble_is_told_once() -> None:
    """Forty readings in an unknown unit are one gap."""
    assert len(reasons(*[observation(id=str(n), valueQuantity=quantity(5, "furlong")) for n in range(40)])) == 1


def test_panel_without_a_value_is_no_gap() -> None:
    """A blood pressure panel under a code of ours has its values in its components, and lacks none."""
    parts = [{"code": concept("8462-4"), "valueQuantity": quantity(60, "mm[Hg]")}]
    panel = observation("8480-6", component=parts, valueQuantity=None)

    assert [found.key for found in read(panel)] == ["diastolic"]
    assert reasons(panel) == []


def test_component_without_a_value_is_a_gap() -> None:
    """The pressure that could not be taken is told, the other is read."""
    parts = [
        {"code": concept("8480-6"), "dataAbsentReason": concept("error")},
        {"code": concept("8462-4"), "valueQuantity": quantity(60, "mm[Hg]")},
    ]
    panel = observation("85354-9", component=parts, valueQuantity=None)

    assert [found.value for found in read(panel)] == [60]
    assert reasons(panel) == [("Systolic blood pressure", GapReason.UNREADABLE, "the measurement failed")]


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


def test_order_is_that_of_time_and_not_of_the_clock_on_the_wall() -> None:
    """In the night when summer time ends, half past two comes twice: the offsets tell which was first."""
    summer, winter = "2026-10-25T02:50:00+02:00", "2026-10-25T02:10:00+01:00"

    found = read(observation(id="a", effectiveDateTime=summer), observation(id="b", effectiveDateTime=winter))

    assert [each.source.reference for each in found] == ["Observation/b", "Observation/a"]
