from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference.contract import IMAGE_SIZE
from inference.gate import ADULT, INVERTED, OTHER, TURNED
from inference.training.data.films import Film, load_pixels
from inference.training.scope.draw import SIDE
from inference.training.scope.outliers import (
    FITTED,
    JUDGED,
    Family,
    archived,
    as_seen,
    cut_out,
    draw_family,
    frame,
    invert,
    make_outliers,
    shuffle,
    turn,
    upend,
)
from tests.inference.training.scope.chests import draw_chests

FAMILIES = [family for part in (FITTED, JUDGED) for families in part.values() for family in families]
FILMS = draw_chests(6)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_family_draws_grey_pictures_that_differ(family: Family) -> None:
    """A family draws squares of grey 0..1: the same for the same seed, another for another."""
    first, again, other = (family(np.random.default_rng(seed)) for seed in (0, 0, 1))

    assert first.shape == (SIDE, SIDE)
    assert 0 <= first.min() <= first.max() <= 1
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("kind", FITTED)
def test_what_judges_was_never_fitted_to(kind: str) -> None:
    """Each kind is judged by families that no gate has seen."""
    assert JUDGED[kind]
    assert not set(JUDGED[kind]) & {family for families in FITTED.values() for family in families}


def test_picture_is_seen_as_a_file_of_it_would_be(tmp_path: Path) -> None:
    """Drawn pictures take the way that films take: the resizing must not tell them apart."""
    path = tmp_path / "film.png"
    picture = FAMILIES[0](np.random.default_rng(0))
    Image.fromarray(np.rint(picture * 255).astype(np.uint8)).save(path)

    assert np.array_equal(as_seen(picture), load_pixels([Film(path, 0, "p", "p")])[0])


def test_turns_take_their_turn() -> None:
    """The films are turned by one, two and three quarters in rotation."""
    turned = turn(FILMS)

    assert all(np.array_equal(turned[place], np.rot90(FILMS[place], place % 3 + 1)) for place in range(6))


@pytest.mark.parametrize("change", [invert, upend])
def test_change_undoes_itself(change: type) -> None:
    """What is inverted or mirrored twice is as it was, and once is not."""
    assert np.array_equal(change(change(FILMS)), FILMS)
    assert not np.array_equal(change(FILMS), FILMS)


@pytest.mark.parametrize("change", [cut_out, frame, shuffle, archived])
def test_change_keeps_size_and_kind(change: type) -> None:
    """A changed film is a film's size, and another picture."""
    changed = change(FILMS, np.random.default_rng(0))

    assert (changed.shape, changed.dtype) == (FILMS.shape, np.uint8)
    assert not np.array_equal(changed, FILMS)


def test_another_archive_changes_little() -> None:
    """JPEG, another size and another exposure leave a film recognisable."""
    changed = archived(FILMS, np.random.default_rng(0)).astype(float)

    assert np.corrcoef(changed.ravel(), FILMS.ravel())[0, 1] > 0.97


def test_framed_film_leaves_most_of_the_page_plain() -> None:
    """A screenshot shows the film on less than a third of its page."""
    pages = frame(FILMS, np.random.default_rng(0))

    assert all(np.bincount(page.ravel()).max() > 0.6 * page.size for page in pages)


def test_tiles_are_only_laid_anew() -> None:
    """A shuffled film has the very pixels of the film."""
    film = FILMS[:, : IMAGE_SIZE // 4 * 4, : IMAGE_SIZE // 4 * 4]
    mixed = shuffle(film, np.random.default_rng(0))

    assert np.array_equal(np.sort(mixed, axis=None), np.sort(film, axis=None))


@pytest.mark.parametrize(
    ("adults", "kinds"), [(None, {TURNED, INVERTED, OTHER}), (FILMS, {ADULT, TURNED, INVERTED, OTHER})]
)
def test_outliers_have_every_kind_there_is(adults: np.ndarray | None, kinds: set[str]) -> None:
    """Without films of adults there is no such kind; every picture has a kind, and no kind is rare."""
    outliers = make_outliers(FILMS, adults, 4, np.random.default_rng(0))

    assert set(outliers.kinds) == kinds
    assert len(outliers.kinds) == len(outliers.pixels)
    assert min(Counter(outliers.kinds).values()) >= 4


def test_family_is_drawn_as_often_as_asked() -> None:
    """Each family contributes alike."""
    assert draw_family(FITTED["noise"], 2, np.random.default_rng(0)).shape == (8, IMAGE_SIZE, IMAGE_SIZE)
