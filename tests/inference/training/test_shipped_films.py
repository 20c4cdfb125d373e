"""The demo's films: made, not taken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference.training.data.films import load_pixels, read_folder
from inference.training.synthesis.make import shrink
from inference.training.synthesis.novelty import COMPARED_SIDE, nearest_similarity, typical_similarity

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "cds_hooks/sandbox/films"
IMAGES = ROOT.parent / "shared/data/chest-xray-paediatric"
NAMES = ("bacterial", "viral", "healthy", "no-labs", "contradiction")


@pytest.mark.parametrize("name", NAMES)
def test_film_is_a_small_grey_square(name: str) -> None:
    """A demo film is 8-bit grey, square, and small enough to be kept in the repository."""
    path = FOLDER / f"{name}.png"
    with Image.open(path) as film:
        width, height = film.size
        assert film.mode == "L"
    assert 256 <= width == height <= 512
    assert path.stat().st_size < 120_000


@pytest.mark.skipif(not IMAGES.is_dir(), reason=f"the training films are not in {IMAGES}")
def test_no_film_is_a_copy_of_a_training_film() -> None:
    """A demo film is less like any training film than the films of two children typically are like each other."""
    films = [film for film in read_folder(IMAGES) if film.split == "train"]
    real = load_pixels(films, COMPARED_SIDE)
    made = np.stack([shrink(np.asarray(Image.open(FOLDER / f"{name}.png"))) for name in NAMES])
    likeness, _ = nearest_similarity(made, real)
    assert likeness.max() < typical_similarity(real, [film.group for film in films], 100)
