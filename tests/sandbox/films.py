"""Pictures for tests only: grey stripes that nobody takes for a radiograph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from cds_hooks.sandbox.cases import ORDER


def write_stripes(folder: Path, side: int = 64) -> Path:
    """Write one picture for every sample patient and return the folder."""
    rows = np.arange(side, dtype=np.uint8)[:, None] * np.ones((1, side), np.uint8)
    for number, key in enumerate(ORDER):
        Image.fromarray(rows + np.uint8(number)).save(folder / f"{key}.png")
    return folder
