"""A film -> the same film as a worse device, exposure, position or file would have shown it.

All of it happens on the film as it came, before it is resized for the model.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from fhir_adapter.record import PatientRecord
from inference.training.robustness.kind import Degradation, Kind, Subject

Pixels = npt.NDArray[np.float32]  # (H, W), grey 0..1


def add_noise(pixels: Pixels, deviation: float, rng: np.random.Generator) -> Pixels:
    """Add white noise of a standard deviation, as a share of full white."""
    grain = rng.standard_normal(pixels.shape, np.float32)
    return (pixels + np.float32(deviation) * grain).clip(0, 1)


def blur(pixels: Pixels, sigma: float, _: np.random.Generator) -> Pixels:
    """Blur by a Gaussian whose sigma is a share of the shorter side."""
    radius = sigma * min(pixels.shape)
    return from_grey(to_grey(pixels).filter(ImageFilter.GaussianBlur(radius)))


def expose(pixels: Pixels, gamma: float, rng: np.random.Generator) -> Pixels:
    """Darken a film by an exponent over 1, or brighten it by its inverse: a coin decides."""
    exponent = gamma if rng.random() < 0.5 else 1 / gamma
    return pixels ** np.float32(exponent)


def flatten(pixels: Pixels, loss: float, _: np.random.Generator) -> Pixels:
    """Pull all grey towards the film's mean; 0 loses no contrast, 1 all of it."""
    mean = pixels.mean(dtype=np.float32)
    flat: Pixels = mean + (pixels - mean) * np.float32(1 - loss)
    return flat


def rotate(pixels: Pixels, degrees: float, rng: np.random.Generator) -> Pixels:
    """Turn a film to the left or right about its centre; what comes in at the corners repeats the border."""
    sign = 1 if rng.random() < 0.5 else -1
    margin = max(pixels.shape) // 2
    wide = to_grey(np.pad(pixels, margin, mode="edge")).rotate(sign * degrees, Image.Resampling.BICUBIC)
    height, width = pixels.shape
    return from_grey(wide)[margin : margin + height, margin : margin + width]


def crop(pixels: Pixels, lost: float, rng: np.random.Generator) -> Pixels:
    """Cut a share of height and width away, divided between opposite borders by chance."""
    height, width = pixels.shape
    top, left = (int(share * lost * side) for share, side in zip(rng.random(2), pixels.shape, strict=True))
    return pixels[top : top + round(height * (1 - lost)), left : left + round(width * (1 - lost))]


def compress(pixels: Pixels, loss: float, _: np.random.Generator) -> Pixels:
    """Write a film as JPEG of quality 100 minus `loss`, and read it again."""
    file = io.BytesIO()
    to_grey(pixels).save(file, "JPEG", quality=round(100 - loss))
    with Image.open(file) as image:
        return from_grey(image)


def to_grey(pixels: Pixels) -> Image.Image:
    """Return a film as 8-bit grey."""
    return Image.fromarray(np.rint(pixels.clip(0, 1) * 255).astype(np.uint8))


def from_grey(image: Image.Image) -> Pixels:
    """Return 8-bit grey as 0..1."""
    return np.asarray(image, np.float32) / np.float32(255)


def on_films(change: Callable[[Pixels, float, np.random.Generator], Pixels]) -> Degradation:
    """Let a change of pixels work on the films of a chart."""

    def degrade(subject: Subject, strength: float, rng: np.random.Generator) -> PatientRecord:
        films = tuple(replace(film, pixels=change(film.pixels, strength, rng)) for film in subject.record.films)
        return replace(subject.record, films=films)

    return degrade


IMAGE_KINDS: Final = (
    Kind("image", "noise", "deviation, share of white", (0, 0.02, 0.05, 0.1, 0.2), on_films(add_noise)),
    Kind("image", "blur", "sigma, share of the side", (0, 0.004, 0.008, 0.016, 0.032), on_films(blur)),
    Kind("image", "exposure", "gamma, or 1/gamma", (1, 1.25, 1.5, 2, 3), on_films(expose)),
    Kind("image", "contrast", "share of contrast lost", (0, 0.2, 0.4, 0.6, 0.8), on_films(flatten)),
    Kind("image", "rotation", "degrees", (0, 2, 5, 10, 15), on_films(rotate)),
    Kind("image", "crop", "share of each side lost", (0, 0.05, 0.1, 0.2, 0.3), on_films(crop)),
    Kind("image", "jpeg", "100 minus JPEG quality", (0, 50, 75, 90, 95), on_films(compress)),
)
