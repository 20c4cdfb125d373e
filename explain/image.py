"""Films and relevance of their patches -> the pictures that a page shows."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from explain.evidence import ImageEvidence, PriorFilm
from explain.ramp import RAMP, STEPS
from explain.regions import check_relevance
from fhir_adapter.record import Film
from inference.contract import GRID

LONGEST_SIDE: Final = 1024

Grey = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class FilmPictures:
    """What a page shows of a chart's films, apart from any map: none of it needs the model."""

    film_png: bytes
    prior: PriorFilm | None


def draw_films(film: Film | None, prior: Film | None) -> FilmPictures:
    """Return the pictures of the film that is judged and of an earlier one, where there are any."""
    return FilmPictures(picture_of(film) if film else b"", prior_film(prior) if film and prior else None)


def image_evidence(film: Film, pictures: FilmPictures | None = None) -> ImageEvidence:
    """Return the film as the answer comes with it: no map and no regions, which are measured later.

    Args:
        film: pixels of any size, grey 0..1.
        pictures: of the film and an earlier one, where they were drawn while the model ran.

    Raises:
        ValueError: the film has no pixels.
    """
    drawn = pictures or draw_films(film, None)
    return ImageEvidence(
        film_png=drawn.film_png,
        heat_png=b"",
        regions=(),
        view=film.view,
        acquired_at=film.acquired_at,
        source=str(film.source),
        prior=drawn.prior,
        file=film.file,
    )


def prior_film(film: Film) -> PriorFilm:
    """Return an earlier film, to be shown beside the one that the model saw.

    Raises:
        ValueError: the film has no pixels.
    """
    return PriorFilm(film_png=picture_of(film), view=film.view, acquired_at=film.acquired_at, source=str(film.source))


def picture_of(film: Film) -> bytes:
    """Return a film as the page shows it: 8-bit grey PNG, its longest side at most LONGEST_SIDE.

    Raises:
        ValueError: the film has no pixels.
    """
    return _png(_picture(film))


def heat_of(relevance: Grey, size: tuple[int, int]) -> bytes:
    """Return relevance (PATCHES,), 0 or more, as a transparent PNG of a size (width, height)."""
    return _png(_heat(relevance, size))


def shown_size(film: Film) -> tuple[int, int]:
    """Return width and height of the picture of a film.

    Raises:
        ValueError: the film has no pixels.
    """
    pixels = film.pixels
    if pixels.ndim != 2 or 0 in pixels.shape:
        raise ValueError("a film must have rows and columns; drop it before the model sees it")
    height, width = pixels.shape
    scale = min(1.0, LONGEST_SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _picture(film: Film) -> Image.Image:
    """Return the film as 8-bit grey, made smaller where its longest side is above LONGEST_SIDE."""
    size = shown_size(film)
    # In place: a film has millions of pixels, and each further pass over them delays the card.
    grey = film.pixels * np.float32(255.0)
    np.nan_to_num(grey, copy=False, nan=0.0)
    np.rint(grey.clip(0.0, 255.0, out=grey), out=grey)
    picture = Image.fromarray(grey.astype(np.uint8))
    return picture if picture.size == size else picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _heat(relevance: Grey, size: tuple[int, int]) -> Image.Image:
    """Return the relevance stretched over the whole film: the model saw all of it, resized to a square."""
    check_relevance(relevance)
    most = float(relevance.max())
    grid = (relevance / most if most else relevance).reshape(GRID, GRID).astype(np.float32)
    smooth = np.asarray(Image.fromarray(grid).resize(size, Image.Resampling.BICUBIC))
    # A cubic curve swings beyond its points.
    heat = Image.fromarray((smooth.clip(0.0, 1.0) * (STEPS - 1)).round().astype(np.uint8))
    # A palette that carries the opacity: the same picture as RGBA, written four times as fast, a quarter of the size.
    heat.putpalette(RAMP.tobytes(), "RGBA")
    return heat


def _png(picture: Image.Image) -> bytes:
    out = BytesIO()
    # Level 1: the clinician waits for this; level 6 takes six times as long for a tenth of the size.
    picture.save(out, "PNG", compress_level=1)
    return out.getvalue()
