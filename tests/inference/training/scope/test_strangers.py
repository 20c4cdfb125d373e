from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inference.contract import IMAGE_SIZE
from inference.training.scope.strangers import (
    SAMPLES,
    VIEWS,
    AdultFilms,
    read_adults,
    read_samples,
    read_severe_adults,
    views_of,
)

DATA = Path(__file__).parents[5] / "shared" / "data"


@pytest.mark.parametrize("kind", SAMPLES)
def test_every_sample_file_is_read_as_grey(kind: str) -> None:
    """Each sample that is installed comes as a picture with some contrast, grey 0..1, colour ones too."""
    samples = read_samples(kind)

    # `pydicom` itself brings some of them; `pydicom-data` is part of the extra `test`.
    assert set(samples) == set(SAMPLES[kind])
    assert all(0 <= picture.min() < picture.max() <= 1 for picture in samples.values())


def test_sample_that_is_not_installed_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not here is no picture, and nothing is fetched for it."""
    monkeypatch.setitem(SAMPLES, "extremity", ("no-such-file.dcm",))

    assert read_samples("extremity") == {}


def test_views_are_of_the_same_picture() -> None:
    """The views of a sample are crops of it, a little darker or lighter, the first the picture itself."""
    picture = np.linspace(0, 1, 4000, dtype=np.float32).reshape(50, 80)
    views = views_of(picture, 0)

    assert len(views) == VIEWS + 1
    assert np.array_equal(views[0], picture)
    assert all(view.shape[0] >= 40 and view.shape[1] >= 64 and view.max() <= 1 for view in views)


def test_halves_share_no_patient() -> None:
    """Every film is in one half, and all films of a patient are in the same."""
    patients = tuple(f"p{number // 2}" for number in range(80))
    films = AdultFilms(np.arange(80, dtype=np.uint8).reshape(80, 1, 1), patients)
    first, second = films.half(0), films.half(1)

    assert not set(first.patients) & set(second.patients)
    assert sorted([*first.pixels.ravel(), *second.pixels.ravel()]) == list(range(80))
    assert len(first.patients) > 20 < len(second.patients)


@pytest.mark.parametrize(
    ("read", "name", "patients"),
    [(read_adults, "chest-xray-adult", None), (read_severe_adults, "chest-xray-severity", 71)],
)
def test_adult_sets_are_read(read: type, name: str, patients: int | None) -> None:
    """Both open sets come as squares with the patient of each."""
    if not (DATA / name).is_dir():
        pytest.skip(f"the radiographs are not here: ../shared/data/{name}")
    films = read(DATA / name)

    assert films.pixels.shape == (len(films.patients), IMAGE_SIZE, IMAGE_SIZE)
    assert patients in (None, len(set(films.patients)))
