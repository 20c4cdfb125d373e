"""Labels and probabilities -> the points of a reliability plot, with bands. This module draws nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.training.judged import Names
from inference.training.metrics import equal_width, ratio_interval


@dataclass(frozen=True, slots=True)
class Point:
    """One bin of a reliability plot.

    Attributes:
        said: mean probability in the bin, 0..1; the horizontal axis.
        happened: share of the cases for which it came true; the vertical axis, the diagonal is ideal.
        low: lower end of the 95 % band of `happened`, by bootstrap over patients.
        high: its upper end.
        cases: number of cases in the bin.
    """

    said: float
    happened: float
    low: float
    high: float
    cases: int


def reliability(
    said: npt.NDArray[np.floating], truth: npt.NDArray[np.bool_], groups: Names, bins: int = 10
) -> list[Point]:
    """Return a point for each bin of equal width that holds a case, in rising order.

    Args:
        said: probability of each case, (N,): of one diagnosis, or of the likeliest one.
        truth: whether that diagnosis is the true one, (N,).
        groups: patient of each case, (N,).
        bins: number of bins.
    """
    place, points = equal_width(said, bins), []
    for number in np.unique(place):
        inside = place == number
        low, high = ratio_interval(truth & inside, inside, groups)
        cases = int(inside.sum())
        points.append(Point(float(said[inside].mean()), float(truth[inside].mean()), low, high, cases))
    return points
