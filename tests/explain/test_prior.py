"""An earlier film beside the one that the model saw."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from explain.image import prior_film
from tests.explain.examples import drawn_film


def test_prior_film_is_the_film_as_a_picture() -> None:
    """An earlier film keeps its view, time and source, and becomes a grey picture of its own shape."""
    film = drawn_film()
    prior = prior_film(film)
    picture = Image.open(io.BytesIO(prior.film_png))
    assert (picture.mode, picture.size) == ("L", film.pixels.shape[::-1])
    assert (prior.view, prior.acquired_at, prior.source) == (film.view, film.acquired_at, str(film.source))


def test_prior_film_without_pixels_is_refused() -> None:
    """A film without pixels is refused, as the model's own is."""
    with pytest.raises(ValueError, match="rows and columns"):
        prior_film(replace(drawn_film(), pixels=np.zeros((0, 5), np.float32)))
