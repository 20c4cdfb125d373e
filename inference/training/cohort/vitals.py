"""Group and standard normal deviations -> age and vital signs."""

from __future__ import annotations

import math

import numpy as np

from inference.training.cohort.parameters import Group, by_group, number, numbers
from inference.training.cohort.spread import between_groups, lognormal, toward_middle


def draw_age(group: Group, rng: np.random.Generator) -> tuple[float, float]:
    """Draw the age in months, and the same as standard deviations from its mean."""
    low, high = numbers("age.range")
    weight = number("age.concentration")
    share = (toward_middle(by_group("age.mean"), group) - low) / (high - low)
    drawn = rng.beta(share * weight, (1 - share) * weight)
    # Variance of a beta distribution with this mean and concentration.
    spread = math.sqrt(share * (1 - share) / (weight + 1))
    return low + (high - low) * drawn, (drawn - share) / spread


def draw_temperature(group: Group, deviation: float) -> float:
    """Return the temperature at triage, degrees Celsius."""
    low, high = numbers("temperature.limits")
    return round(min(max(between_groups("temperature", group, deviation), low), high), 1)


def heart_rate(group: Group, age: float, temperature: float, deviation: float) -> float:
    """Return beats a minute: age and temperature for ill children (S11), age alone for healthy ones (S9)."""
    if group == "check":
        at_two_years, per_month, spread = numbers("heart_rate.check")
        return at_two_years + per_month * (age - 24) + spread * deviation
    per_degree, linear, square, constant = numbers("heart_rate.formula")
    middle = per_degree * temperature + linear * age + square * age * age + constant
    rate = middle + by_group("heart_rate.offset")[group] + number("heart_rate.spread") * deviation
    return max(number("heart_rate.lowest"), rate)


def respiratory_rate(group: Group, age: float, temperature: float, deviations: tuple[float, float]) -> float:
    """Return breaths a minute (S13, S15) from two deviations: the child's and the observer's."""
    constant, linear, square = numbers("respiratory_rate.formula")
    at_birth, per_month = numbers("respiratory_rate.spread")
    months = min(age, number("respiratory_rate.flat_after"))
    logarithm = constant + linear * months + square * months * months + (at_birth + per_month * months) * deviations[0]
    warm = number("respiratory_rate.per_degree") * max(0.0, temperature - 37)
    rate = (10**logarithm + warm) * toward_middle(by_group("respiratory_rate.factor"), group)
    return max(number("respiratory_rate.lowest"), rate + number("respiratory_rate.observer") * deviations[1])


def draw_spo2(group: Group, deviation: float) -> float:
    """Return oxygen saturation in room air, whole percent."""
    return round(max(number("spo2.lowest"), 100 - lognormal(f"spo2.{group}", deviation)))
