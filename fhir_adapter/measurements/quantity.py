"""What is known of one kind of measurement: its codes, its unit, and which values are possible or normal."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Final

from fhir_adapter.record import Sex

Limits = tuple[float | None, float | None]
YEAR: Final = 12.0
"""Months."""


@dataclass(frozen=True, slots=True)
class Normal:
    """A reference range, for some ages and perhaps one sex.

    Attributes:
        low, high: limits, both normal themselves; None where there is none.
        source: key of the source in `docs/measurements.md`.
        since, until: age in months, the second not included.
        sex: None for both.
    """

    low: float | None
    high: float | None
    source: str
    since: float = 0.0
    until: float = inf
    sex: Sex | None = None


@dataclass(frozen=True, slots=True)
class Quantity:
    """One kind of measurement.

    Attributes:
        key: name used in arrays, logs and the simulated cohort.
        name: name a clinician reads.
        loinc: LOINC codes that mean it, the preferred one first.
        unit: UCUM unit every value is converted to.
        plausible: smallest and largest value a living patient can have; outside, the reading is refused.
        normal: reference ranges by age and sex, of which no two overlap; none where no source was found.
        stale_after_h: hours after which a value no longer describes the current illness.
        molar_mass: g/mol where laboratories report both mass and amount of substance.
        single_charge: whether it is of ions of one charge, so that 1 meq is 1 mmol.
        basis: `FEU` or `DDU`, where the unit has to be told by what it counts.
    """

    key: str
    name: str
    loinc: tuple[str, ...]
    unit: str
    plausible: tuple[float, float]
    normal: tuple[Normal, ...] = ()
    stale_after_h: float = 72.0
    molar_mass: float | None = None
    single_charge: bool = False
    basis: str = ""

    def normal_at(self, age_months: float | None, sex: Sex = "unknown") -> Limits | None:
        """Return the reference range for a patient, or None where none is known.

        An unknown age, or a sex other than female and male, has only the ranges that hold for all.
        """
        for band in self.normal:
            if age_months is None:
                of_age = (band.since, band.until) == (0.0, inf)
            else:
                of_age = band.since <= age_months < band.until
            if of_age and band.sex in (None, sex):
                return band.low, band.high
        return None
