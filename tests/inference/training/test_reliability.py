from __future__ import annotations

import numpy as np
import pytest

from inference.training.reliability import reliability


def test_points_are_means_of_their_bins() -> None:
    """Of four cases said at 0.25 one came true, of two at 0.75 both did; empty bins have no point."""
    said = np.array([0.25] * 4 + [0.75] * 2)
    truth = np.array([True, False, False, False, True, True])

    points = reliability(said, truth, np.array(list("abcdef")), bins=2)

    assert [(point.said, point.happened, point.cases) for point in points] == [(0.25, 0.25, 4), (0.75, 1.0, 2)]


def test_certainty_falls_into_the_last_bin() -> None:
    """A probability of 1 is in a bin, and not behind the last one."""
    (point,) = reliability(np.ones(3), np.ones(3, bool), np.array(list("abc")))

    assert (point.said, point.low, point.high) == (1, 1, 1)


@pytest.mark.parametrize(("films", "least"), [(1, 0.05), (20, 0.2)])
def test_band_is_as_wide_as_the_patients_allow(films: int, least: float) -> None:
    """Twenty films that say the same of each child make the band no narrower than the children alone."""
    truth = np.repeat(np.random.default_rng(0).random(400 // films) < 0.5, films)

    (point,) = reliability(np.full(400, 0.5), truth, np.repeat(np.arange(400 // films).astype(str), films), bins=1)

    assert point.low < point.happened < point.high
    assert point.high - point.low > least
