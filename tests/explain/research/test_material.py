from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from explain.research.material import choose_material
from inference.training.data.films import Film, FolderError, read_folder
from inference.training.trained_on import digests_of
from tests.inference.training.made import make_folder


@pytest.fixture
def films(tmp_path: Path) -> list[Film]:
    return read_folder(make_folder(tmp_path, 40))


def test_own_folder_is_divided_by_its_splits(films: list[Film]) -> None:
    """Judged are test films alone; validation repeats the choice, wrong labels are learnt on training films."""
    seen = digests_of([film for film in films if film.split in ("train", "validation")])
    found = choose_material(films, seen, 6)

    assert {film.split for film in found.judged} == {"test"}
    assert {film.split for film in found.validation} <= {"validation"}
    assert {film.split for film in found.learnable} == {"train"}
    assert len(found.judged) == 6


def test_strange_folder_is_judged_whole(films: list[Film]) -> None:
    """Of a folder that shares no film with the training every film may be judged; the rest may be learnt from."""
    found = choose_material(films, np.zeros(0, np.uint64), 30)

    assert len(found.judged) == 30
    assert found.validation == []
    assert not {film.group for film in found.judged} & {film.group for film in found.learnable}


def test_folder_without_a_film_to_judge_is_refused(films: list[Film]) -> None:
    """Where everything was trained on, there is nothing honest to say."""
    with pytest.raises(FolderError, match="has not seen"):
        choose_material(films, digests_of(films), 6)


def test_first_films_are_of_all_classes(films: list[Film]) -> None:
    """What is dear is measured on the first films, so these must not be those of one folder."""
    found = choose_material(films, np.zeros(0, np.uint64), 60)

    assert {film.label for film in found.judged[:12]} == {0, 1, 2}
    assert found.judged == choose_material(films[::-1], np.zeros(0, np.uint64), 60).judged
