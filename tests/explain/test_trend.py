"""The small plots of the course of a measurement."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from explain.evidence import MeasurementEvidence, Reading
from explain.trend import HEIGHT, MOST, WIDTH, Trend, trend
from tests.explain.examples import explained

BEGIN = datetime(2026, 11, 20, 8, tzinfo=UTC)


def row(
    *values: float, hours: tuple[float, ...] = (), normal: tuple[float | None, float | None] | None = None
) -> MeasurementEvidence:
    """Return a C-reactive protein with a history, six hours apart unless said otherwise."""
    crp = next(one for one in explained()[1].measurements if one.key == "crp")
    times = hours or tuple(6.0 * place for place in range(len(values)))
    history = tuple(
        Reading(value, BEGIN + timedelta(hours=time), "") for value, time in zip(values, times, strict=True)
    )
    return replace(crp, history=history, normal=normal)


def drawn(
    *values: float, hours: tuple[float, ...] = (), normal: tuple[float | None, float | None] | None = None
) -> Trend:
    found = trend(row(*values, hours=hours, normal=normal))
    assert found is not None
    return found


@pytest.mark.parametrize("values", [(), (96.0,), (float("nan"), 96.0), (float("inf"), float("nan"))])
def test_one_value_is_no_course(values: tuple[float, ...]) -> None:
    """A course needs two readings that are numbers."""
    assert trend(row(*values)) is None


def test_higher_values_are_drawn_higher() -> None:
    """The largest value is at the top, the smallest at the bottom, all within the box."""
    heights = [y for _, y in drawn(12, 96, 41).points]
    assert heights[1] < heights[2] < heights[0]
    assert all(0 < y < HEIGHT for y in heights)


def test_distances_are_those_of_time() -> None:
    """A reading a quarter of the time on lies a quarter of the way on; the order of the history does not matter."""
    places = [x for x, _ in drawn(1, 3, 2, hours=(0, 40, 10)).points]
    assert places[1] - places[0] == pytest.approx((places[2] - places[0]) / 4)
    assert 0 < places[0] < places[2] < WIDTH


def test_readings_of_one_moment_lie_side_by_side() -> None:
    """Without any distance in time readings are spread evenly."""
    assert len({x for x, _ in drawn(1, 2, 3, hours=(5, 5, 5)).points}) == 3


@pytest.mark.parametrize(
    ("values", "normal", "band"),
    [
        ((10, 30), (15, 25), (6.0, 12.0)),
        ((10, 30), (None, 5), None),
        ((10, 30), (None, 100), (0.0, HEIGHT)),
        ((10, 30), (20, None), (0.0, 9.0)),
        ((10, 30), None, None),
        ((10, 10), (5, 20), (0.0, HEIGHT)),
        ((10, 10), (15, 20), None),
    ],
)
def test_band_is_the_normal_range(
    values: tuple[float, float], normal: tuple[float | None, float | None] | None, band: tuple[float, float] | None
) -> None:
    """The band covers the normal range as far as the plot reaches, and is not there where it lies outside."""
    assert drawn(*values, normal=normal).band == (band and pytest.approx(band))


def test_what_is_not_drawn_is_counted() -> None:
    """Entries that are no numbers, and readings before the newest ones, are counted."""
    found = drawn(float("nan"), *range(MOST + 5))
    assert (len(found.points), found.left_out, found.earlier) == (MOST, 1, 5)
    assert (found.first.value, found.last.value) == (5, MOST + 4)


def test_values_at_the_end_of_all_numbers_stay_in_the_box() -> None:
    """A span that no float can hold is drawn all the same."""
    assert all(0 <= y <= HEIGHT for _, y in drawn(1.7e308, -1.7e308, 0).points)
