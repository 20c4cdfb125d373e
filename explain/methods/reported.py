"""Measurement of the model's scale -> the value a laboratory or monitor would report, and whether it is likely."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from fhir_adapter.measurements.quantities import QUANTITY_OF_KEY
from inference.contract import MEASUREMENTS, SLOT_OF_KEY

LIKELY: Final = 2.5
"""Standard deviations from the middle of the reference cohort, which is simulated: all but 1 or 2 in a hundred of its
children lie within, in each quantity."""
_DECIMALS: Final = {"temperature": 1, "wbc": 1, "neutrophils": 1, "lymphocytes": 1}
_FINER_BELOW: Final = {"crp": ((10.0, 1),), "procalcitonin": ((1.0, 2), (10.0, 1))}
"""Limit under which so many decimals are reported; the limits rise."""


def reported(key: str, value: float) -> float:
    """Return a value of a quantity, in its own unit, with the decimals that are usual for it."""
    finer = next((decimals for limit, decimals in _FINER_BELOW.get(key, ()) if value < limit), None)
    return float(round(value, _DECIMALS.get(key, 0) if finer is None else finer))


def as_reported(key: str, standardised: float) -> float | None:
    """Return the reported value at a place of the model's scale; None where no living patient has it."""
    slot = MEASUREMENTS[SLOT_OF_KEY[key]]
    raw = standardised * slot.scale + slot.centre
    value = reported(key, math.exp(raw) if slot.log else raw)
    low, high = QUANTITY_OF_KEY[key].plausible
    return value if low <= value <= high else None


def fits_together(values: Mapping[str, float]) -> bool:
    """Say whether blood cells, as far as they are given, can be those of one sample: parts within the whole."""
    parts = values.get("neutrophils", 0.0) + values.get("lymphocytes", 0.0)
    return parts <= values.get("wbc", math.inf) + 1e-9
