"""Stored pixel values -> grey 0..1 with bone white, square pixels. Knows DICOM's grey-scale pipeline, not its files.

PS3.3 section C.11.1 (modality), C.11.2 (values of interest) and C.7.6.3.1.2 (photometric interpretation).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from fhir_adapter.errors import ImageUnreadable

FloatArray = npt.NDArray[np.float32]

_LEAST_INSIDE: Final = 0.1
"""A window that leaves fewer pixels than this between black and white shows no picture and is not used."""
_SAMPLE_SIDE: Final = 256
_SAME_GREY: Final = 3
"""Steps of 256 by which the three colours of a grey picture may differ: JPEG rounds them."""
_NEARLY_SQUARE: Final = 0.02
_MOST_OBLONG: Final = 4.0
_PERCENTILES: Final = (0.5, 99.5)
"""Black and white where no window is given: markers and collimator edges must not set the contrast."""


@dataclass(frozen=True, slots=True)
class Window:
    """Center, width and function (LINEAR, LINEAR_EXACT, SIGMOID) of PS3.3 C.11.2.1."""

    center: float
    width: float
    function: str = "LINEAR"

    def apply(self, values: FloatArray) -> FloatArray:
        """Map values to 0..1."""
        if self.function == "SIGMOID":
            # Clipped because the exponential of a far value overflows.
            exponent = np.clip(-4 * (values - self.center) / self.width, -60, 60)
            return np.asarray(1 / (1 + np.exp(exponent)), dtype=np.float32)
        exact = self.function == "LINEAR_EXACT"
        center, width = (self.center, self.width) if exact else (self.center - 0.5, self.width - 1)
        return _clip((values - center) / width + 0.5)

    @property
    def usable(self) -> bool:
        """Whether the width is legal: at least 1 for LINEAR (more, or it divides by zero), else more than 0."""
        least = 1 if self.function == "LINEAR" else 0
        return math.isfinite(self.center) and least < self.width < math.inf


@dataclass(frozen=True, slots=True)
class Table:
    """A VOI lookup table of PS3.3 C.11.2.1.1: the entries, the value the first one is for, and their depth in bits."""

    entries: npt.NDArray[np.uint16]
    first: int
    bits: int

    def apply(self, values: npt.NDArray[np.generic]) -> FloatArray:
        """Map values to 0..1; those beyond the table get its first or last entry."""
        places = np.clip(values.astype(np.int64) - self.first, 0, len(self.entries) - 1)
        return _clip(self.entries[places] / (2**self.bits - 1))


def to_grey(
    values: FloatArray, padding: npt.NDArray[np.bool_] | None, window: Window | None, full: float
) -> FloatArray:
    """Scale values to 0..1, dark to bright.

    Args:
        values: (height, width) after the modality step.
        padding: True where a pixel is no part of the picture, or None.
        window: as the file gives it, or None.
        full: the largest value of an 8-bit picture, which is displayed as it is; 0 for deeper ones, which are
            stretched.
    """
    if window is not None and window.usable:
        grey = window.apply(values)
        if np.mean((grey > 0) & (grey < 1)) >= _LEAST_INSIDE:
            return grey
    if full:
        return _clip(values / full)
    return _stretch(values, padding)


def grey_of(colours: npt.NDArray[np.generic]) -> FloatArray:
    """Return the grey 0..1 of a picture (height, width, 3) of unsigned samples whose colours are equal.

    Raises:
        ImageUnreadable: it is a picture in colour.
    """
    red, green, blue = (colours[..., channel].astype(np.int32) for channel in range(3))
    full = np.iinfo(colours.dtype).max  # type: ignore[type-var]
    apart = max(int(np.abs(red - green).max()), int(np.abs(blue - green).max()))
    if apart > _SAME_GREY * (full // 255):
        raise ImageUnreadable("it is not a grey image")
    return np.asarray(green / full, dtype=np.float32)


def with_square_pixels(grey: FloatArray, aspect: float) -> FloatArray:
    """Stretch a picture whose pixels are `aspect` times as high as wide, so that the lung keeps its shape.

    Raises:
        ImageUnreadable: the pixels are more oblong than any detector's.
    """
    if abs(aspect - 1) < _NEARLY_SQUARE:
        return grey
    if not 1 / _MOST_OBLONG <= aspect <= _MOST_OBLONG:
        raise ImageUnreadable("its pixels are oblong beyond belief")
    height, width = grey.shape
    size = (width, round(height * aspect)) if aspect > 1 else (round(width / aspect), height)
    return np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BILINEAR), dtype=np.float32)


def _stretch(values: FloatArray, padding: npt.NDArray[np.bool_] | None) -> FloatArray:
    # Some 256 rows and columns give the same percentiles in a fraction of the time.
    step = max(1, min(values.shape) // _SAMPLE_SIDE)
    sample = values[::step, ::step]
    if padding is not None and not padding[::step, ::step].all():
        sample = sample[~padding[::step, ::step]]
    low, high = np.percentile(sample, _PERCENTILES).astype(np.float32)
    if high <= low:
        return np.zeros_like(values)
    return _clip((values - low) / (high - low))


def _clip(grey: npt.ArrayLike) -> FloatArray:
    return np.clip(np.asarray(grey, dtype=np.float32), 0, 1)
