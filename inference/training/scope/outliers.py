"""Films and random numbers -> pictures the model is not for, each with the kind of thing it is.

Two sets of drawn families: what the gate is fitted to, and what it is only judged by, so that a figure tells of
pictures that nobody showed it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from inference.encode_film import to_square
from inference.gate import ADULT, INVERTED, OTHER, TURNED
from inference.training.scope import bones, scanners, textures
from inference.training.scope.draw import Picture

Pixels = npt.NDArray[np.uint8]
Rng = np.random.Generator
Family = Callable[[Rng], Picture]

FITTED: Final[Mapping[str, Sequence[Family]]] = {
    "extremity": (bones.hand, bones.forearm, bones.thigh, bones.knee),
    "other_modality": (scanners.ct_chest, scanners.ct_head, scanners.mr_head, scanners.us_sector),
    "noise": (textures.white_noise, textures.clouds, textures.blank, textures.stripes),
}
"""Families the gate is fitted to."""
JUDGED: Final[Mapping[str, Sequence[Family]]] = {
    "extremity": (bones.foot, bones.elbow, bones.skull),
    "other_modality": (scanners.ct_abdomen, scanners.mr_spine, scanners.us_linear, scanners.scintigram),
    "noise": (textures.pink_noise, textures.salt_and_pepper, textures.cells),
}
"""Families it is judged by; none of them is in `FITTED`."""

TURNS: Final = (1, 2, 3)
"""Quarter turns to the left of a turned film."""


@dataclass(frozen=True, slots=True)
class Outliers:
    """Pictures (N, S, S) and the kind of each."""

    pixels: Pixels
    kinds: tuple[str, ...]


def draw_family(families: Sequence[Family], each: int, rng: Rng) -> Pixels:
    """Draw `each` pictures of every family, resized as films are at the bedside; (N, S, S)."""
    return np.stack([as_seen(family(rng)) for family in families for _ in range(each)])


def as_seen(picture: Picture) -> Pixels:
    """Bring a picture (H, W), grey 0..1, to the square the model sees, by the very call that serves; uint8 (S, S)."""
    seen: Pixels = np.rint(to_square(picture)[0, 0] * 255).astype(np.uint8)
    return seen


def turn(films: Pixels, quarters: Sequence[int] = TURNS) -> Pixels:
    """Turn films (N, S, S) by quarter turns to the left, the given ones in rotation."""
    return np.stack([np.rot90(film, quarters[place % len(quarters)]) for place, film in enumerate(films)])


def upend(films: Pixels) -> Pixels:
    """Mirror films (N, S, S) top to bottom."""
    return np.ascontiguousarray(films[:, ::-1])


def invert(films: Pixels) -> Pixels:
    """Show bone dark, as a MONOCHROME1 film looks that was not converted."""
    return 255 - films


def cut_out(films: Pixels, rng: Rng) -> Pixels:
    """Show a fifth to a twentieth of each film (N, S, S), enlarged."""
    side = films.shape[1]

    def cut(film: Pixels) -> Pixels:
        part = int(side * rng.uniform(0.22, 0.45))
        top, left = rng.integers(0, side - part, 2)
        return resize(film[top : top + part, left : left + part], side)

    return np.stack([cut(film) for film in films])


def frame(films: Pixels, rng: Rng) -> Pixels:
    """Show each film (N, S, S) small on a plain page, as a screenshot does."""
    side = films.shape[1]
    greys = rng.choice(np.array([0, 30, 200, 255], np.uint8), len(films))
    pages: Pixels = np.ones_like(films) * greys[:, None, None]
    for page, film in zip(pages, films, strict=True):
        part = int(side * rng.uniform(0.3, 0.55))
        top, left = rng.integers(0, side - part, 2)
        page[top : top + part, left : left + part] = resize(film, part)
    return pages


def shuffle(films: Pixels, rng: Rng) -> Pixels:
    """Cut each film (N, S, S) into 4 x 4 tiles and lay them anew."""
    side = films.shape[1] // 4 * 4
    tiles = films[:, :side, :side].reshape(len(films), 4, side // 4, 4, side // 4).swapaxes(2, 3)
    tiles = tiles.reshape(len(films), 16, side // 4, side // 4)
    mixed = np.stack([film[rng.permutation(16)] for film in tiles]).reshape(len(films), 4, 4, side // 4, side // 4)
    laid = mixed.swapaxes(2, 3).reshape(len(films), side, side)
    return np.stack([resize(film, films.shape[1]) for film in laid])


def recompress(film: Pixels, side: int, quality: int, exposure: float) -> Pixels:
    """Return a film (H, W) as another archive may hold it: of another size, JPEG, darker or lighter; (side, side)."""
    lighter = np.clip(resize(film, side).astype(np.float32) * exposure, 0, 255).astype(np.uint8)
    file = BytesIO()
    Image.fromarray(lighter).save(file, "JPEG", quality=quality)
    with Image.open(file) as kept:
        return np.asarray(kept)


def archived(films: Pixels, rng: Rng) -> Pixels:
    """Return films (N, S, S) after a round through another archive: they stay what they are."""

    def once(film: Pixels) -> Pixels:
        side, quality = int(rng.integers(1, 4)) * film.shape[0], int(rng.integers(40, 96))
        return resize(recompress(film, side, quality, rng.uniform(0.88, 1.12)), film.shape[0])

    return np.stack([once(film) for film in films])


def resize(picture: Pixels, side: int) -> Pixels:
    """Resize to a square, as `load_pixels` does."""
    square = Image.fromarray(picture).resize((side, side), Image.Resampling.BICUBIC, reducing_gap=3.0)
    return np.asarray(square)


def make_outliers(films: Pixels, adults: Pixels | None, each: int, rng: Rng) -> Outliers:
    """Make the pictures the gate is fitted to.

    Args:
        films: in scope, (N, S, S); `each` of them are drawn anew for every change.
        adults: films of adults, or None where there are none: the gate then does not know the kind.
        each: pictures of a change, and of a kind of drawn ones.
        rng: draws all of it.
    """

    def some(pool: Pixels) -> Pixels:
        return pool[rng.integers(0, len(pool), each)]

    parts: list[tuple[str, Pixels]] = [
        (TURNED, turn(some(films))),
        (TURNED, turn(some(films))),
        (TURNED, upend(some(films))),
        (INVERTED, invert(archived(some(films), rng))),
        (OTHER, cut_out(some(films), rng)),
        (OTHER, frame(some(films), rng)),
        (OTHER, shuffle(some(films), rng)),
    ]
    parts += [(OTHER, draw_family(families, -(-each // len(families)), rng)) for families in FITTED.values()]
    if adults is not None:
        parts += [(ADULT, adults), (ADULT, archived(some(adults), rng))]
        parts += [(TURNED, turn(some(adults))), (INVERTED, invert(some(adults)))]
    kinds = tuple(kind for kind, pixels in parts for _ in pixels)
    return Outliers(np.concatenate([pixels for _, pixels in parts]), kinds)
