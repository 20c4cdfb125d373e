"""Random numbers -> pictures that show nothing: noise and patterns, as a broken transfer or a test image gives them."""

from __future__ import annotations

import numpy as np

from inference.training.scope.draw import PLANE, SIDE, Picture, clipped, haze, standardise

Rng = np.random.Generator


def _grey(rng: Rng, pattern: Picture) -> Picture:
    """Give a pattern of deviation 1 a brightness and a contrast."""
    return clipped(rng.uniform(0.25, 0.75) + rng.uniform(0.05, 0.3) * pattern)


def white_noise(rng: Rng) -> Picture:
    """Draw each pixel by itself."""
    return _grey(rng, haze(rng, 0.0))


def clouds(rng: Rng) -> Picture:
    """Draw smooth noise of one grain."""
    return _grey(rng, haze(rng, float(np.exp(rng.uniform(np.log(1.5), np.log(50))))))


def blank(rng: Rng) -> Picture:
    """Draw one grey with hardly any grain, or a plain ramp."""
    direction = np.exp(1j * rng.uniform(0, 2 * np.pi))
    ramp = standardise((PLANE * direction).real) * rng.uniform(0, 0.3) * rng.integers(0, 2)
    return clipped(rng.uniform(0, 1) + ramp + rng.uniform(0, 0.02) * haze(rng, 0.5))


def stripes(rng: Rng) -> Picture:
    """Draw waves in one or two directions."""
    first, second = np.exp(1j * rng.uniform(0, np.pi, 2)) * rng.uniform(5, 80, 2)
    waves = np.sin((PLANE * np.conj(first)).real) + rng.integers(0, 2) * np.sin((PLANE * np.conj(second)).real)
    return _grey(rng, standardise(waves))


def pink_noise(rng: Rng) -> Picture:
    """Draw noise with all grains at once, as natural pictures have them, but without a shape."""
    frequency = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.fftfreq(SIDE)[None, :])
    frequency[0, 0] = np.inf
    spectrum = np.fft.fft2(rng.normal(size=(SIDE, SIDE))) / frequency ** rng.uniform(0.8, 1.6)
    return _grey(rng, standardise(np.fft.ifft2(spectrum).real))


def salt_and_pepper(rng: Rng) -> Picture:
    """Draw a grey in which many pixels are black or white."""
    drawn, share = rng.random((SIDE, SIDE)), rng.uniform(0.1, 0.5)
    picture = np.full((SIDE, SIDE), rng.uniform(0.2, 0.8))
    picture[drawn < share / 2], picture[drawn > 1 - share / 2] = 0, 1
    return picture.astype(np.float32)


def cells(rng: Rng) -> Picture:
    """Draw the plane cut into cells around random seeds, each of its own grey."""
    seeds = rng.uniform(-1, 1, (rng.integers(8, 60), 2)) @ [1, 1j]
    nearest = np.abs(PLANE[..., None] - seeds).argmin(-1)
    return _grey(rng, standardise(rng.random(len(seeds))[nearest]))
