"""The gate that ships, on what it must keep and what it must refuse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from inference.backends import open_backend
from inference.checkpoint import Checkpoint
from inference.training.data.films import open_grey
from inference.training.scope.assess import refuser
from inference.training.scope.draw import Picture
from inference.training.scope.features import served_encoder
from inference.training.scope.outliers import as_seen
from inference.training.scope.strangers import SAMPLES, read_picture, read_samples

ROOT = Path(__file__).parents[4]
DEMO = sorted((ROOT / "cds_hooks/sandbox/films").glob("*.png"))
ADULTS = ROOT.parent / "shared" / "data" / "dicom"

Refuses = Callable[[Picture], bool]


@pytest.fixture(scope="module")
def refuses() -> Refuses:
    """Ask the shipped gate about one picture, by the shipped graph."""
    checkpoint = Checkpoint.load()
    assert checkpoint.gate is not None
    flag = refuser(checkpoint.gate, served_encoder(open_backend(checkpoint, triton_url=None)))
    return lambda picture: bool(flag(as_seen(picture)[None])[0])


@pytest.mark.parametrize("path", DEMO, ids=lambda path: path.stem)
def test_demo_film_is_kept(refuses: Refuses, path: Path) -> None:
    """The films of the demo's children in scope are read."""
    assert not refuses(np.asarray(open_grey(path), np.float32) / np.float32(255))


@pytest.mark.parametrize("kind", SAMPLES)
def test_real_picture_of_another_kind_is_refused(refuses: Refuses, kind: str) -> None:
    """At least nineteen of twenty sample files of extremities, other scanners and adults are refused."""
    assert np.mean([refuses(picture) for picture in read_samples(kind).values()]) >= 0.95


@pytest.mark.skipif(not ADULTS.is_dir(), reason="the DICOM files are not here: ../shared/data/dicom")
def test_real_adult_chest_films_are_refused(refuses: Refuses) -> None:
    """Two computed radiographs of adults are no children's."""
    assert all(refuses(read_picture(path)) for path in sorted(ADULTS.glob("*.dcm")))
