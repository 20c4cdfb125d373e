from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference.training.data.films import FolderError
from inference.training.data.layouts import Beside, Layout, open_dataset


@pytest.fixture
def paediatric_films(tmp_path: Path) -> Path:
    """A folder of the paediatric layout with three different films."""
    names = ("NORMAL/IM-0001-0001.jpeg", "PNEUMONIA/person1_bacteria_1.jpeg", "PNEUMONIA/person2_virus_1.jpeg")
    for seed, name in enumerate(names):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        pixels = np.random.default_rng(seed).integers(0, 255, (32, 32), dtype=np.uint8)
        Image.fromarray(pixels).resize((224, 224)).save(path)
    return tmp_path


def test_paediatric_folder_gets_simulated_charts(paediatric_films: Path) -> None:
    """Films without charts get simulated ones, the same for the same seed."""
    dataset = open_dataset(Layout.PAEDIATRIC, paediatric_films, Beside(), 7)
    again = open_dataset(Layout.PAEDIATRIC, paediatric_films, Beside(), 7)

    assert len(dataset.films) == 3
    assert dataset.source.cases(dataset.films, draw=1) == again.source.cases(again.films, draw=1)


def test_film_that_is_no_image_ends_it_before_training(paediatric_films: Path) -> None:
    """An unreadable film is named at once."""
    (paediatric_films / "PNEUMONIA" / "person3_virus_1.jpeg").write_bytes(b"no picture")

    with pytest.raises(FolderError, match=r"person3_virus_1\.jpeg"):
        open_dataset(Layout.PAEDIATRIC, paediatric_films, Beside(), 7)


@pytest.mark.parametrize(
    ("layout", "named"), [(Layout.MIMIC, "--records"), (Layout.CHEXPERT, "cause"), (Layout.ADULT, "cause")]
)
def test_layout_says_what_it_needs_more(tmp_path: Path, layout: Layout, named: str) -> None:
    """A set without charts or causes says what must be given beside it."""
    with pytest.raises(FolderError, match=named):
        open_dataset(layout, tmp_path, Beside(), 0)
