"""Radiographs of a record -> the one film the model sees, as a square of grey values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt
from PIL import Image

from fhir_adapter.record import Film, Gap, GapReason
from inference.contract import IMAGE_SIZE, FloatArray
from inference.manifest import Scope
from inference.recency import age_hours, known_at
from inference.scope import film_objections

ITEM = "radiograph"


def choose_film(films: Sequence[Film], scope: Scope, asked_at: datetime) -> tuple[Film | None, list[Gap]]:
    """Return the newest current film the checkpoint reads, and what to say where there is none.

    A frontal film is taken before a newer lateral one. Where no current film is of a kind the checkpoint reads, the
    newest is returned all the same: the scope then refuses the case and says why.
    """
    known = known_at(films, lambda film: film.acquired_at, asked_at)
    current = [film for film in known if age_hours(film.acquired_at, asked_at) <= scope.film_max_age_h]
    if not current:
        return None, [Gap("image", ITEM, GapReason.STALE if known else GapReason.MISSING)]
    readable = [film for film in current if not film_objections(film, scope)]
    return (readable or current)[0], []


def to_square(pixels: npt.NDArray[np.float32]) -> FloatArray:
    """Resize a whole film (H, W), grey 0..1, to (1, 1, IMAGE_SIZE, IMAGE_SIZE).

    The same Pillow call as `inference.training.data.films.load_pixels`, on 8-bit grey: a model must see a film at the
    bedside as it saw it in training, down to the last pixel.
    """
    grey = np.rint(pixels.clip(0, 1) * 255).astype(np.uint8)
    square = Image.fromarray(grey).resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BICUBIC, reducing_gap=3.0)
    return (np.asarray(square, np.float32) / np.float32(255))[None, None]
