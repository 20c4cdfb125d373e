from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from inference.checkpoint import TRAINED_ON_NAME, CheckpointError
from inference.training.data.films import FolderError, read_folder
from inference.training.trained_on import (
    choose_films,
    describe_choice,
    digests_of,
    read_trained_on,
    share_films,
    write_trained_on,
)
from tests.inference.training.made import make_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "films", 40)


@pytest.fixture
def known(folder: Path, tmp_path: Path) -> np.ndarray:
    """What a checkpoint trained on the folder knows of it."""
    write_trained_on(read_folder(folder), tmp_path)
    known = read_trained_on(tmp_path)
    assert known is not None
    return known


def test_digest_is_the_head_of_the_sha_256(folder: Path) -> None:
    """The number is the first 8 bytes of the file's SHA-256, most significant first."""
    film = read_folder(folder)[0]

    assert int(digests_of([film])[0]) == int(hashlib.sha256(film.path.read_bytes()).hexdigest()[:16], 16)


def test_films_that_decide_weights_are_written_down(folder: Path, known: np.ndarray) -> None:
    """Training and validation films are known to the checkpoint, those of calibration and test are not."""
    seen = np.isin(digests_of(read_folder(folder)), known)

    assert {film.split for film, is_seen in zip(read_folder(folder), seen, strict=True) if is_seen} == {
        "train",
        "validation",
    }
    assert seen.sum() == sum(film.split in ("train", "validation") for film in read_folder(folder))


def test_training_folder_is_judged_by_its_test_split(folder: Path, known: np.ndarray) -> None:
    """A folder that shares films with the training is not judged by what was trained or calibrated on."""
    assert {film.split for film in choose_films(read_folder(folder), known)} == {"test"}


def test_folder_kept_apart_is_judged_whole(tmp_path: Path, known: np.ndarray) -> None:
    """A folder that shares no film with the training is judged by every film, without being told to."""
    apart = read_folder(make_folder(tmp_path / "apart", 10, first=500))

    assert not share_films(apart, known)
    assert choose_films(apart, known) == apart


def test_trained_films_are_left_out_even_when_all_are_wanted(folder: Path, known: np.ndarray) -> None:
    """`--all` asks for more than the test split, and still never for a film that was trained on."""
    chosen = choose_films(read_folder(folder), known, everything=True)

    assert {film.split for film in chosen} == {"calibration", "test"}


def test_copy_under_another_name_is_known(folder: Path, tmp_path: Path, known: np.ndarray) -> None:
    """A training film that was renamed and put into another folder is left out there."""
    apart = make_folder(tmp_path / "apart", 40, first=500)
    trained = next(film for film in read_folder(folder) if film.split == "train" and film.label == 1)
    shutil.copyfile(trained.path, apart / "PNEUMONIA" / "person999_bacteria_1.jpeg")

    chosen = choose_films(read_folder(apart), known, everything=True)

    assert len(chosen) == 120
    assert "person999_bacteria_1.jpeg" not in {film.path.name for film in chosen}


def test_checkpoint_that_does_not_tell_is_judged_as_before(folder: Path) -> None:
    """Without the file the test split is judged, or every film where that is asked for."""
    films = read_folder(folder)

    assert {film.split for film in choose_films(films)} == {"test"}
    assert choose_films(films, everything=True) == films


def test_nothing_left_is_refused(folder: Path) -> None:
    """A folder of which every film was trained on cannot judge the checkpoint."""
    films = read_folder(folder)

    with pytest.raises(FolderError, match="give a folder that it has not seen"):
        choose_films(films, digests_of(films), everything=True)


@pytest.mark.parametrize(("tells", "sentence"), [(True, "none of which"), (False, "does not tell")])
def test_choice_is_said(folder: Path, known: np.ndarray, sentence: str, *, tells: bool) -> None:
    """Whoever reads the figures is told how many films stand behind them."""
    films = read_folder(folder)
    told = describe_choice(films, films[:7], known if tells else None)

    assert told.startswith("7 of 120 films are judged")
    assert sentence in told


def test_checkpoint_without_the_file_tells_nothing(tmp_path: Path) -> None:
    """No file is no error."""
    assert read_trained_on(tmp_path) is None


def test_damaged_file_is_refused_by_name(tmp_path: Path) -> None:
    """A file that holds something else is named."""
    (tmp_path / TRAINED_ON_NAME).write_bytes(b"no archive")

    with pytest.raises(CheckpointError, match=TRAINED_ON_NAME):
        read_trained_on(tmp_path)
