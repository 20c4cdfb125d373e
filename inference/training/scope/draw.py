"""Shapes -> grey squares (SIDE, SIDE), float32: the parts that made-up pictures are drawn with.

A place is a complex number, x + 1j y, from -1 (left, top) to 1, so that turning a shape is one multiplication.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

SIDE: Final = 256
Picture = npt.NDArray[np.float32]

_AXIS: Final = np.linspace(-1, 1, SIDE)
PLANE: Final = _AXIS[None, :] + 1j * _AXIS[:, None]
_EDGE: Final = SIDE / 4
"""Steepness of an edge: from 0 to 1 over two pixels or so, as a detector blurs it."""


def disc(centre: complex, width: float, height: float, angle: float = 0.0) -> Picture:
    """Draw a filled ellipse with half axes `width` and `height`, turned by `angle` radians; 0..1."""
    local = (PLANE - centre) * np.exp(-1j * angle)
    away = np.hypot(local.real / width, local.imag / height)
    return _soft((1 - away) * min(width, height))


def bar(start: complex, end: complex, radius: float) -> Picture:
    """Draw a thick line with round ends; 0..1."""
    along = end - start
    share = np.clip(((PLANE - start) * np.conj(along)).real / max(abs(along) ** 2, 1e-9), 0, 1)
    return _soft(radius - np.abs(PLANE - start - share * along))


def box(centre: complex, width: float, height: float, angle: float = 0.0) -> Picture:
    """Draw a filled rectangle with half sides `width` and `height`; 0..1."""
    local = (PLANE - centre) * np.exp(-1j * angle)
    return _soft(np.minimum(width - np.abs(local.real), height - np.abs(local.imag)))


def fan(apex: complex, near: float, far: float, half_angle: float) -> Picture:
    """Draw the sector that an ultrasound probe at `apex` sees below it, between two depths; 0..1."""
    local = (PLANE - apex) * -1j
    depth = np.abs(local)
    inside = np.minimum(np.minimum(depth - near, far - depth), (half_angle - np.abs(np.angle(local))) * depth)
    return _soft(inside)


def haze(rng: np.random.Generator, grain: float) -> Picture:
    """Draw smooth noise of mean 0 and deviation 1 whose grains measure about `grain` pixels."""
    return standardise(soften(rng.normal(size=(SIDE, SIDE)).astype(np.float32), grain))


def soften(picture: Picture, grain: float) -> Picture:
    """Blur with a Gaussian of deviation `grain` pixels; opposite edges meet."""
    frequency = np.fft.fftfreq(SIDE)
    falloff = np.exp(-2 * (np.pi * grain * frequency) ** 2)
    blurred = np.fft.ifft2(np.fft.fft2(picture) * falloff[:, None] * falloff[None, :]).real
    return blurred.astype(np.float32)


def clipped(picture: npt.NDArray[np.floating]) -> Picture:
    """Hold grey values within 0..1."""
    return np.asarray(np.clip(picture, 0, 1), np.float32)


def standardise(picture: npt.NDArray[np.floating]) -> Picture:
    """Shift and scale to mean 0 and deviation 1."""
    shifted = picture - picture.mean()
    return np.asarray(shifted / max(float(shifted.std()), 1e-6), np.float32)


def _soft(inside: npt.NDArray[np.float64]) -> Picture:
    """Turn the distance from an edge, positive inside, into coverage 0..1."""
    return clipped(inside * _EDGE + 0.5)
