"""Group of a child -> age, days of illness, vital signs and blood values, as if everything had been measured.

Values come from the published distributions of `parameters.toml`, tied within a group by a Gaussian copula.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from inference.training.cohort.blood import blood_count, marker, platelets
from inference.training.cohort.parameters import Group, number, numbers, rows_under
from inference.training.cohort.spread import between_groups, normal
from inference.training.cohort.vitals import draw_age, draw_spo2, draw_temperature, heart_rate, respiratory_rate

TIED: Final = (
    "temperature",
    "spo2",
    "wbc",
    "nlr",
    "crp",
    "procalcitonin",
    "sodium",
    "haemoglobin",
    "platelets",
)
"""Order of the copula's rows."""


@dataclass(frozen=True, slots=True)
class Child:
    """A simulated child before anyone chose what to measure.

    Attributes:
        group: which of the four distributions it was drawn from.
        values: every quantity, `age` in months and `female` as 0 or 1, in the units of
            `fhir_adapter.measurements.quantities`.
        days: days since the illness began.
        fever: temperature as standard deviations from the mean of the group.
    """

    group: Group
    values: dict[str, float]
    days: float
    fever: float


def correlations() -> npt.NDArray[np.float64]:
    """Return the copula's correlation matrix, rows and columns as `TIED`."""
    matrix = np.eye(len(TIED), dtype=np.float64)
    for pair, (value,) in rows_under("tie").items():
        first, second = (TIED.index(name) for name in pair.split("-"))
        matrix[first, second] = matrix[second, first] = value
    return matrix


MIX: Final = np.linalg.cholesky(correlations())


def draw_child(group: Group, rng: np.random.Generator) -> Child:
    """Draw one child of a group."""
    tied: dict[str, float] = dict(zip(TIED, (MIX @ rng.standard_normal(len(TIED))).tolist(), strict=True))
    free_heart, free_breath, observer, free_days = rng.standard_normal(4).tolist()
    is_female, crp_assay, procalcitonin_assay = rng.random(3).tolist()
    age, aged = draw_age(group, rng)
    median, spread = numbers(f"days.{group}")
    days = median * math.exp(spread * free_days)
    temperature = draw_temperature(group, tied["temperature"])
    values = {
        "age": round(age, 1),
        "female": float(is_female < number("group.female")),
        "temperature": temperature,
        "heart_rate": round(heart_rate(group, age, temperature, free_heart)),
        "respiratory_rate": round(respiratory_rate(group, age, temperature, (free_breath, observer))),
        "spo2": draw_spo2(group, tied["spo2"]),
        **blood_count(group, age, tied),
        "haemoglobin": round(between_groups("haemoglobin", group, tied["haemoglobin"])),
        "platelets": round(platelets(group, aged, tied["platelets"])),
        "crp": marker("crp", group, days, (tied["crp"], crp_assay)),
        "procalcitonin": marker("procalcitonin", group, days, (tied["procalcitonin"], procalcitonin_assay)),
        "sodium": round(normal(f"sodium.{group}", tied["sodium"])),
    }
    return Child(group, values, days, tied["temperature"])
