"""A number for each case -> a figure: the mean, with its 95 % interval by patients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from inference.figures import Figure
from inference.training.resampling import interval, patient_weights


def mean_figure(name: str, values: npt.NDArray[np.floating], patients: Sequence[str], unit: str = "1") -> list[Figure]:
    """Return the mean of the cases that have a value; no figure where none has.

    Args:
        name: of the figure.
        values: of each case, (N,); NaN where it has none.
        patients: of each case.
        unit: of the values.
    """
    known = np.isfinite(values)
    if not known.any():
        return []
    found, owners = values[known].astype(np.float64), [patients[int(place)] for place in np.flatnonzero(known)]
    weights = patient_weights(owners)
    low, high = interval(weights @ found / weights.sum(1))
    return [Figure(name, float(found.mean()), unit, len(found), low, high)]
