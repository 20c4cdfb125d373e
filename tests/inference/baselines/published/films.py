from __future__ import annotations

import numpy as np

from inference.baselines.published.protocol import GreyImage


def film(height: int = 40, width: int = 30, *, phase: int = 0) -> GreyImage:
    """A grey film with structure in both directions, the same on every machine."""
    rows, columns = np.mgrid[:height, :width]
    values: GreyImage = ((rows * 7 + columns * columns * 3 + phase * 31 + rows * columns * (1 + phase)) % 256).astype(
        np.uint8
    )
    return values
