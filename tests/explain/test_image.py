"""Pictures of film and heat map."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from explain.image import LONGEST_SIDE, heat_of, image_evidence, picture_of, shown_size
from inference.contract import GRID, PATCHES
from tests.explain.examples import drawn_film, relevance


def opened(png: bytes) -> Image.Image:
    return Image.open(BytesIO(png))


def film_of(*shape: int) -> np.ndarray:
    return np.linspace(0, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape)


@pytest.mark.parametrize(
    ("shape", "size"),
    [((224, 200), (200, 224)), ((2500, 2000), (819, 1024)), ((1841, 1955), (1024, 964)), ((1, 5000), (1024, 1))],
)
def test_pictures_fit_the_page(shape: tuple[int, int], size: tuple[int, int]) -> None:
    """Film and heat map have one size, at most LONGEST_SIDE, and are never made larger."""
    film = replace(drawn_film(), pixels=film_of(*shape))
    assert opened(picture_of(film)).size == opened(heat_of(relevance(), shown_size(film))).size == size
    assert max(size) <= LONGEST_SIDE


def test_film_keeps_its_greys() -> None:
    """A small film is shown grey for grey, black 0 and bone 255."""
    picture = opened(picture_of(replace(drawn_film(), pixels=film_of(16, 16))))
    assert picture.mode == "L"
    assert np.array_equal(np.asarray(picture), (film_of(16, 16) * 255).round().astype(np.uint8))


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0, 3.0, -2.0, np.nan, np.inf])
def test_odd_films_are_shown(value: float) -> None:
    """A film of one grey level, or with values out of range, is still a picture."""
    shown = image_evidence(replace(drawn_film(), pixels=np.full((20, 30), value, np.float32)))
    assert opened(shown.film_png).size == (30, 20)


def heat_alpha(grid: np.ndarray, shape: tuple[int, int] = (400, 320)) -> np.ndarray:
    film = replace(drawn_film(), pixels=film_of(*shape))
    heat_png = heat_of(grid.reshape(PATCHES).astype(np.float32), shown_size(film))
    return np.asarray(opened(heat_png).convert("RGBA"))[..., 3]


def test_heat_lies_over_its_patch() -> None:
    """The map is stretched over the whole film: a patch's heat is where the patch is, at any aspect ratio."""
    grid = np.zeros((GRID, GRID))
    row = int(0.69 * GRID)
    grid[row, 1] = 1.0
    alpha = heat_alpha(grid)
    down, across = np.average(np.argwhere(alpha), axis=0, weights=alpha[alpha > 0])
    assert (down, across) == pytest.approx(((row + 0.5) * 400 / GRID, 1.5 * 320 / GRID), abs=2)
    assert alpha[:200].max() == alpha[:, 160:].max() == 0


def test_heat_is_smooth() -> None:
    """Between two patches the map has no edge: neighbouring pixels differ little."""
    alpha = heat_alpha(relevance().reshape(GRID, GRID)).astype(int)
    assert max(np.abs(np.diff(alpha, axis=0)).max(), np.abs(np.diff(alpha, axis=1)).max()) < 2.5 * GRID


def test_heat_is_relative_to_its_own_maximum() -> None:
    """Only the order within one film is shown: a map ten times as large looks the same."""
    grid = relevance().reshape(GRID, GRID)
    assert np.array_equal(heat_alpha(grid), heat_alpha(10 * grid))


def test_nothing_measured_is_no_map() -> None:
    """A film comes without a heat map and without regions: both are measured later."""
    shown = image_evidence(drawn_film())
    assert shown.heat_png == b""
    assert shown.regions == ()


def test_a_film_without_pixels_is_refused() -> None:
    """A film without rows or columns is refused with a sentence."""
    with pytest.raises(ValueError, match="rows and columns"):
        image_evidence(replace(drawn_film(), pixels=np.zeros((0, 5), np.float32)))
