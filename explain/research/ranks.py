"""Two maps of the same case -> how alike they are: Spearman's rank correlation over the parts that are there."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from explain.research.cases import Flags
from explain.research.variants import Doubles


def ranks(values: npt.NDArray[np.floating]) -> Doubles:
    """Return the rank of each value of a row (U,); equal values share the mean of their ranks."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    shared: Doubles = (last - (count - 1) / 2)[place].astype(np.float64)
    return shared


def spearman(first: Doubles, second: Doubles, there: Flags) -> Doubles:
    """Return the rank correlation of each case, (N,), of maps (N, U); NaN where a map has no order to compare."""
    found = np.full(len(first), np.nan)
    for row, parts in enumerate(there):
        one, other = (ranks(maps[row, parts]) for maps in (first, second))
        if parts.sum() > 2 and one.std() > 0 and other.std() > 0:
            found[row] = np.corrcoef(one, other)[0, 1]
    return found
