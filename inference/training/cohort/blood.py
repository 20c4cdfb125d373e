"""Group, day of illness and standard normal deviations -> blood counts, CRP and procalcitonin."""

from __future__ import annotations

import math
from functools import cache
from statistics import NormalDist
from typing import Final, Literal

from inference.training.cohort.parameters import Group, number, numbers
from inference.training.cohort.spread import lognormal

FIRST_DAYS: Final = 1.5
"""Up to here an illness counts as day 0 or 1, up to `SECOND_DAY` as day 2."""
SECOND_DAY: Final = 2.5
YOUNGER_MONTHS: Final = 24
"""Below this age lymphocytes outnumber neutrophils in health."""
FEWEST_CELLS: Final = 0.1


def blood_count(group: Group, age: float, tied: dict[str, float]) -> dict[str, float]:
    """Return white cells, neutrophils and lymphocytes, 10*9/L; the last two follow from the first and their ratio."""
    white = lognormal(f"wbc.{group}", tied["wbc"])
    is_older = group == "check" and age >= YOUNGER_MONTHS
    ratio = lognormal("nlr.check_older" if is_older else f"nlr.{group}", tied["nlr"])
    both = white * number("nlr.both_cells")
    return {
        "wbc": round(white, 1),
        "neutrophils": max(FEWEST_CELLS, round(both * ratio / (1 + ratio), 1)),
        "lymphocytes": max(FEWEST_CELLS, round(both / (1 + ratio), 1)),
    }


def platelets(group: Group, aged: float, deviation: float) -> float:
    """Return platelets, 10*9/L, falling with age (standard deviations from the mean of the group)."""
    tie = number("platelets.with_age")
    return lognormal(f"platelets.{group}", tie * aged + math.sqrt(1 - tie * tie) * deviation)


Marker = Literal["crp", "procalcitonin"]


def day_factor(name: Marker, days: float) -> float:
    """Return how far a marker has risen on this day of illness."""
    early, second, later = numbers(f"{name}.by_day")
    if days < FIRST_DAYS:
        return early
    return second if days < SECOND_DAY else later


@cache
def day_moments(name: Marker, group: Group) -> tuple[float, float]:
    """Return mean and variance of the logarithm of `day_factor` over the days of illness of a group."""
    median, spread = numbers(f"days.{group}")
    days = NormalDist(math.log(median), spread)
    until_first, until_second = days.cdf(math.log(FIRST_DAYS)), days.cdf(math.log(SECOND_DAY))
    shares = (until_first, until_second - until_first, 1 - until_second)
    logs = [math.log(factor) for factor in numbers(f"{name}.by_day")]
    mean = sum(share * log for share, log in zip(shares, logs, strict=True))
    return mean, sum(share * (log - mean) ** 2 for share, log in zip(shares, logs, strict=True))


def marker(name: Marker, group: Group, days: float, draws: tuple[float, float]) -> float:
    """Return CRP (mg/L) or procalcitonin (ng/mL) on a day of illness, as a laboratory reports it.

    The published medians and spreads are over all days, so the day's factor takes its part out of both.
    `draws` are the deviation of the value and, uniform in 0 to 1, which of two assay limits the laboratory has.
    """
    median, spread = numbers(f"{name}.{group}")
    mean, variance = day_moments(name, group)
    rest = math.sqrt(spread * spread - variance)
    value = median * day_factor(name, days) * math.exp(rest * draws[0] - mean)
    limits = numbers(f"{name}.assay_limits")
    reported = min(max(value, limits[int(draws[1] * len(limits))]), number(f"{name}.highest"))
    return round(reported, 2 if reported < 1 else 1 if reported < 10 else 0)
