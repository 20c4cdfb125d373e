"""Film and relevance of its patches -> the pictures and regions that a page shows."""

from __future__ import annotations

from io import BytesIO
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from explain.evidence import ImageEvidence
from explain.ramp import RAMP, STEPS
from explain.regions import check_relevance, region_shares
from fhir_adapter.record import Film
from inference.contract import GRID, PATCHES

LONGEST_SIDE: Final = 1024
NO_RELEVANCE: Final = np.zeros(PATCHES, np.float32)

Grey = npt.NDArray[np.float32]


def image_evidence(film: Film, relevance: Grey) -> ImageEvidence:
    """Return the film, its heat map and the regions where the relevance lies.

    Args:
        film: pixels of any size, grey 0..1.
        relevance: shape (PATCHES,), 0 or more; all 0 for a film that is shown without marks.

    Raises:
        ValueError: the relevance is not a relevance map, or the film has no pixels.
    """
    picture = _picture(film.pixels)
    return ImageEvidence(
        film_png=_png(picture),
        heat_png=_png(_heat(relevance, picture.size)),
        regions=region_shares(relevance),
        view=film.view,
        acquired_at=film.acquired_at,
        source=str(film.source),
    )


def _picture(pixels: Grey) -> Image.Image:
    """Return the film as 8-bit grey, made smaller where its longest side is above LONGEST_SIDE."""
    if pixels.ndim != 2 or 0 in pixels.shape:
        raise ValueError("a film must have rows and columns; drop it before the model sees it")
    # In place: a film has millions of pixels, and each further pass over them delays the card.
    grey = pixels * np.float32(255.0)
    np.nan_to_num(grey, copy=False, nan=0.0)
    np.rint(grey.clip(0.0, 255.0, out=grey), out=grey)
    picture = Image.fromarray(grey.astype(np.uint8))
    scale = min(1.0, LONGEST_SIDE / max(picture.size))
    width, height = (max(1, round(side * scale)) for side in picture.size)
    return picture if scale == 1.0 else picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)


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
