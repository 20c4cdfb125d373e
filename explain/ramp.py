"""The colours of the heat map: dark violet over orange to pale yellow, more opaque where there is more relevance.

Lightness rises evenly along the ramp, so that order can be read without telling hues apart: with any colour blindness
and on a grey print. Colours are mixed in Oklab, where equal steps look equal (Ottosson 2020).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

STEPS: Final = 256
# Oklab lightness, a (green to red), b (blue to yellow), at equal distances along the ramp.
_ANCHORS: Final = np.array(
    [
        (0.36, 0.09, -0.15),
        (0.50, 0.19, -0.05),
        (0.64, 0.18, 0.09),
        (0.78, 0.07, 0.15),
        (0.92, -0.02, 0.15),
    ]
)
# Below the first figure of the maximum nothing is drawn; from the second on the map is as opaque as it gets.
_FADE: Final = (0.04, 0.55)
_OPACITY: Final = 0.86

_LAB_TO_LMS: Final = np.array(
    [(1, 0.3963377774, 0.2158037573), (1, -0.1055613458, -0.0638541728), (1, -0.0894841775, -1.2914855480)]
)
_LMS_TO_RGB: Final = np.array(
    [
        (4.0767416621, -3.3077115913, 0.2309699292),
        (-1.2684380046, 2.6097574011, -0.3413193965),
        (-0.0041960863, -0.7034186147, 1.7076147010),
    ]
)


def _srgb(oklab: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Convert Oklab colours (N, 3) to sRGB 0..1."""
    linear = (((oklab @ _LAB_TO_LMS.T) ** 3) @ _LMS_TO_RGB.T).clip(0.0, 1.0)
    coded: npt.NDArray[np.float64] = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return coded


def _ramp() -> npt.NDArray[np.uint8]:
    level = np.linspace(0.0, 1.0, STEPS)
    places = np.linspace(0.0, 1.0, len(_ANCHORS))
    oklab = np.stack([np.interp(level, places, _ANCHORS[:, axis]) for axis in range(3)], axis=1)
    fade = ((level - _FADE[0]) / (_FADE[1] - _FADE[0])).clip(0.0, 1.0)
    alpha = _OPACITY * fade * fade * (3.0 - 2.0 * fade)
    colours = np.column_stack([_srgb(oklab), alpha])
    return (colours * 255.0).round().astype(np.uint8)


RAMP: Final = _ramp()
"""RGBA for relevance 0 (row 0, wholly transparent) to the film's maximum (row 255); uint8 (256, 4)."""


def hex_colour(level: float) -> str:
    """Return the ramp's opaque colour at a level 0..1, as `#rrggbb`."""
    red, green, blue, _ = RAMP[round(level * (STEPS - 1))]
    return f"#{red:02x}{green:02x}{blue:02x}"
