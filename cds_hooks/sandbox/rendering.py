"""DICOM instance -> 8-bit PNG for a screen: MONOCHROME1 turned to bone white, window or full range applied."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Final

import numpy as np
from PIL import Image
from pydicom import dcmread
from pydicom.pixels.processing import apply_voi_lut

MAX_SIDE: Final = 1024
"""Longer side of a rendered film; a chart page needs no more."""


@lru_cache(maxsize=32)
def render_png(file: bytes, width: int = MAX_SIDE, height: int = MAX_SIDE) -> bytes:
    """Return a DICOM file's picture as a grey PNG that fits into width x height pixels.

    Raises:
        Exception: of pydicom or its decoders, when the pixels cannot be read.
    """
    dataset = dcmread(io.BytesIO(file))
    pixels = apply_voi_lut(dataset.pixel_array, dataset).astype(np.float32)
    low, high = float(pixels.min()), float(pixels.max())
    grey = (pixels - low) / ((high - low) or 1.0)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        grey = 1.0 - grey
    picture = Image.fromarray((grey * 255).round().astype(np.uint8))
    picture.thumbnail((min(width, MAX_SIDE), min(height, MAX_SIDE)), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
