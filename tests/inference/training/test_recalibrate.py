from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inference.checkpoint import Checkpoint, CheckpointError
from inference.manifest import MASKS, Calibration, Selection
from inference.training.data.films import FolderError, read_folder
from inference.training.judged import Answers
from inference.training.recalibrate import (
    FOLDS,
    before_and_after,
    calibrate_apart,
    films_to_fit,
    fitter,
    write_calibrated,
)
from inference.training.trained_on import digests_of
from tests.inference.tiny_checkpoint import make_checkpoint
from tests.inference.training.made import draw_answers, make_folder

OLD = Calibration((1.0, 1.0, 1.0), 0.9, dict.fromkeys(MASKS, 0.6), Selection(0.2, 0.1, dict.fromkeys(MASKS, 0.5)))


def test_own_folder_gives_its_calibration_split(tmp_path: Path) -> None:
    """In the folder it was trained on, films of training and test are not calibrated on."""
    films = read_folder(make_folder(tmp_path, 240))
    trained = digests_of([film for film in films if film.split == "train"])

    assert {film.split for film in films_to_fit(films, trained)} == {"calibration"}


def test_other_folder_gives_all_but_its_test_split(tmp_path: Path) -> None:
    """A site's own films were not trained on: all may be used but those that are left for judging."""
    films = read_folder(make_folder(tmp_path, 30))

    assert {film.split for film in films_to_fit(films, np.zeros(0, np.uint64))} == {
        "train",
        "validation",
        "calibration",
    }


def test_few_patients_are_refused(tmp_path: Path) -> None:
    """With a handful of patients the calibration would be worse than the old one, and the sentence says how many."""
    films = read_folder(make_folder(tmp_path, 10))

    with pytest.raises(FolderError, match=r"only \d+ patients are left to calibrate on, and 50 are needed"):
        films_to_fit(films, np.zeros(0, np.uint64))


def test_no_patient_is_judged_by_a_calibration_fitted_to_it() -> None:
    """Each patient is in one fold, and not among those that the fold's calibration was fitted to."""
    fitted: list[set[str]] = []

    def fit(answers: Answers) -> Calibration:
        fitted.append(set(answers.groups))
        return OLD

    parts = calibrate_apart(draw_answers(100, films=2), fit)

    assert len(parts) == FOLDS
    assert all(not set(cases.groups) & names for (cases, _), names in zip(parts, fitted, strict=True))
    assert sum(len(cases.labels) for cases, _ in parts) == 100


def test_calibration_error_of_an_overconfident_model_falls() -> None:
    """Logits three times too sure are mended, and the figures show it on patients not fitted to."""
    found = {one.name: one.value for one in before_and_after(draw_answers(600, 3.0), OLD, fitter(OLD, None))}

    assert found["before.ece"] > 0.15
    assert found["after.ece"] < 0.06
    assert found["after.coverage.image"] == pytest.approx(0.9, abs=0.04)


@pytest.mark.parametrize(("asked", "kept"), [(None, 0.2), (0.3, 0.3)])
def test_aims_stay_unless_others_are_given(asked: float | None, kept: float) -> None:
    """The coverage and the share of wrong answers aimed at are the old checkpoint's."""
    calibration = fitter(OLD, asked)(draw_answers(200))

    assert calibration.selection is not None
    assert (calibration.coverage, calibration.selection.error, calibration.selection.doubt) == (0.9, kept, 0.1)


def test_copy_is_sealed_with_the_new_calibration(tmp_path: Path) -> None:
    """The copy has the same graph and files, another calibration, and a version that says so once."""
    checkpoint = make_checkpoint(tmp_path / "old")
    copy = write_calibrated(checkpoint, OLD, tmp_path / "new")
    again = write_calibrated(copy, OLD, tmp_path / "newer")

    assert (copy.digest, copy.calibration) == (checkpoint.digest, OLD)
    assert (copy.version, again.version) == ("0.0.1+calibrated", "0.0.1+calibrated")
    assert Checkpoint.load(tmp_path / "old").calibration == checkpoint.calibration


def test_nothing_is_written_over(tmp_path: Path) -> None:
    """A folder with something in it is refused: it may be a checkpoint that is answering now."""
    checkpoint = make_checkpoint(tmp_path / "old")

    with pytest.raises(CheckpointError, match="give a folder that is new or empty"):
        write_calibrated(checkpoint, OLD, tmp_path / "old")
