"""Row of the parameter table and a standard normal deviation -> value."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache

from inference.training.cohort.parameters import GROUPS, Group, number, numbers


def normal(row: str, deviation: float) -> float:
    """Return the value that lies so many standard deviations from the mean of a row."""
    mean, spread = numbers(row)
    return mean + spread * deviation


def lognormal(row: str, deviation: float) -> float:
    """Return the value that lies so many log standard deviations from the median of a row."""
    median, spread = numbers(row)
    return median * math.exp(spread * deviation)


def toward_middle(values: Mapping[Group, float], group: Group) -> float:
    """Return a group's value; bacterial and viral moved towards their middle, where their split has no source."""
    if group not in {"bacterial", "viral"}:
        return values[group]
    middle = (values["bacterial"] + values["viral"]) / 2
    return middle + number("overlap.unsourced_split_kept") * (values[group] - middle)


@cache
def centre(name: str, group: Group) -> float:
    """Return the mean of a group whose split has no source, moved as `toward_middle` says."""
    return toward_middle({key: numbers(f"{name}.{key}")[0] for key in GROUPS}, group)


def between_groups(name: str, group: Group, deviation: float) -> float:
    """Return a normal value around `centre`."""
    return centre(name, group) + numbers(f"{name}.{group}")[1] * deviation
