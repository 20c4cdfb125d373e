"""Whether a made film is a copy, and whether side letters are gone before one is made."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from inference.training.synthesis.novelty import nearest_similarity, typical_similarity
from inference.training.synthesis.unmark import unmark

Pixels = npt.NDArray[np.uint8]


def make_films(count: int, seed: int = 0) -> Pixels:
    """Make films (count, 24, 24) that have nothing in common."""
    return np.random.default_rng(seed).integers(20, 120, (count, 24, 24), np.uint8)


@pytest.mark.parametrize("change", ["none", "shift", "exposure"])
def test_copy_is_found(change: str) -> None:
    """A copy is found, moved or lighter as it may be."""
    others = make_films(30)
    copy = {"none": others[4], "shift": np.roll(others[4], (2, -1), (0, 1)), "exposure": others[4] * 1.5 + 9}[change]
    likeness, nearest = nearest_similarity(np.asarray(copy, np.uint8)[None], others)
    assert nearest[0] == 4
    assert likeness[0] > 0.9


def test_unlike_film_is_no_copy() -> None:
    """A film that shares nothing with the others is not called like them."""
    likeness, _ = nearest_similarity(make_films(1, seed=9), make_films(30))
    assert likeness[0] < 0.5


def test_films_of_the_same_patient_do_not_count_as_typical() -> None:
    """What is typical between two patients does not rise with the films that one patient has twice."""
    films = make_films(20)
    twice, groups = np.concatenate([films, films]), [str(number) for number in range(20)] * 2
    assert typical_similarity(twice, groups, 40) < 0.5
    assert typical_similarity(twice, [str(number) for number in range(40)], 40) > 0.99


def make_marked(top: int, left: int, height: int, width: int) -> Pixels:
    """Make a dark film (128, 128) with one bright bar two pixels thick round a box, as a letter is drawn."""
    film = np.full((128, 128), 30, np.uint8)
    film[top : top + height, left : left + width] = 220
    film[top + 2 : top + height - 2, left + 2 : left + width - 2] = 30
    return film


def test_side_letter_is_painted_over() -> None:
    """A letter-sized bright mark at the film's edge is gone."""
    assert unmark(make_marked(40, 8, 9, 7)).max() < 60


@pytest.mark.parametrize("box", [(60, 60, 9, 7), (110, 8, 9, 7), (40, 8, 9, 90), (40, 4, 70, 5)])
def test_anatomy_is_left_alone(box: tuple[int, int, int, int]) -> None:
    """What stands in the middle, low down, or runs on is no letter."""
    film = make_marked(*box)
    assert np.array_equal(unmark(film), film)


def test_mark_beside_something_as_bright_is_left_alone() -> None:
    """A bright end that goes over into a bright structure is a rib's and not a letter."""
    film = make_marked(40, 8, 9, 7)
    film[30:60, 17:60] = 220
    assert np.array_equal(unmark(film), film)
