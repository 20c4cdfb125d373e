"""Cases -> the map that the page shows of a film, many cases at once: how far the answer falls where it is covered."""

from __future__ import annotations

import numpy as np

from explain.methods.covering import windows
from explain.research.variants import Doubles, Subject


def covered(subject: Subject) -> Doubles:
    """Return the maps (N, PATCHES) of `explain.methods.covering`, by the model that was tuned instead of a graph."""
    there, taken = subject.cases.there("image"), windows()
    whole, found = subject.film(there), np.zeros(there.shape)
    for window in taken:
        found += (whole - subject.film(there & ~window))[:, None] * window
    shared: Doubles = found / taken.sum(0)
    return shared
