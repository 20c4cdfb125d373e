"""A checkpoint and films it was not trained on -> the same checkpoint with its calibration fitted to those films.

Another hospital has other machines and other children, and a probability of 0.8 may mean 0.7 there. The weights stay as
they are. How much better the new calibration is, is measured on patients that it was not fitted to (cross-fitting).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Final

import numpy as np

from inference.checkpoint import Checkpoint, CheckpointError, seal
from inference.figures import Figure
from inference.manifest import CONFIG_NAME, MASKS, Calibration, read_manifest
from inference.training.answer_figures import (
    Calibrated,
    calibrate_everything,
    calibrate_mask,
    metric_figures,
    set_figures,
    verdict_figures,
)
from inference.training.calibration import fit_calibration
from inference.training.data.films import Film, FolderError
from inference.training.judged import Answers
from inference.training.metrics import calibration_error
from inference.training.selective import Goal
from inference.training.trained_on import Digests, share_films

SEED: Final = 30_000
"""Of the simulated cases that a calibration is fitted to; no figure of `mllm-cds evaluate` uses them."""
FOLDS: Final = 5
LEAST_PATIENTS: Final = 50
"""Fewer patients promise no coverage of 90 % that means anything: one more error would move it by 2 points."""
MARK: Final = "+calibrated"
"""Ends the version of a checkpoint that was calibrated after its training (semantic versioning, build metadata)."""

Fit = Callable[[Answers], Calibration]


def films_to_fit(films: Sequence[Film], trained_on: Digests | None) -> list[Film]:
    """Return the films to calibrate on; the test split is left for judging.

    In a folder of the training it is the calibration split, in one that shares no film with it all but the test split.

    Raises:
        FolderError: fewer than `LEAST_PATIENTS` patients are left.
    """
    own = trained_on is None or share_films(films, trained_on)
    chosen = [film for film in films if (film.split == "calibration" if own else film.split != "test")]
    if (patients := len({film.group for film in chosen})) < LEAST_PATIENTS:
        raise FolderError(
            f"only {patients} patients are left to calibrate on, and {LEAST_PATIENTS} are needed: add films, or use "
            "the checkpoint as it is"
        )
    return chosen


def fitter(old: Calibration, error: float | None) -> Fit:
    """Return what fits a calibration with the aims of an old one, but for the share of wrong answers where given."""
    goal = Goal() if old.selection is None else Goal(old.selection.error, old.selection.doubt)
    goal = goal if error is None else Goal(error, goal.doubt)
    return lambda answers: fit_calibration(answers, old.coverage, goal)


def calibrate_apart(answers: Answers, fit: Fit) -> list[tuple[Answers, Calibration]]:
    """Cut the patients into folds; returns the cases of each fold with a calibration fitted to all other folds."""
    names, number = np.unique(answers.groups, return_inverse=True)
    fold = np.random.default_rng(0).permutation(len(names))[number] % FOLDS
    return [(answers.pick(fold == place), fit(answers.pick(fold != place))) for place in range(FOLDS)]


def join(parts: Iterable[Calibrated]) -> Calibrated:
    """Put the cases of several folds together; no film is in two of them."""
    parts = list(parts)
    arrays = [field.name for field in fields(Calibrated) if field.name != "films"]
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in arrays}
    return Calibrated(**joined, films=sum(part.films for part in parts))


def compared_figures(parts: Sequence[tuple[Answers, Calibration]], when: str) -> Iterator[Figure]:
    """Yield ECE, verdicts and coverage; the names begin with `when`."""
    everything = join(calibrate_everything(cases, calibration) for cases, calibration in parts)
    found = [*metric_figures(everything, {"ece": calibration_error}), *verdict_figures(everything)]
    for mask in MASKS:
        found += set_figures(join(calibrate_mask(cases, calibration, mask) for cases, calibration in parts), mask)
    for figure in found:
        yield Figure(f"{when}.{figure.name}", figure.value, figure.unit, figure.n, figure.low, figure.high)


def before_and_after(answers: Answers, old: Calibration, fit: Fit) -> list[Figure]:
    """Compare an old calibration with a new one, the new one on patients that it was not fitted to."""
    return [
        *compared_figures([(answers, old)], "before"),
        *compared_figures(calibrate_apart(answers, fit), "after"),
    ]


def write_calibrated(checkpoint: Checkpoint, calibration: Calibration, out: Path) -> Checkpoint:
    """Copy a checkpoint to a folder that is not there yet, and seal it there with another calibration.

    Raises:
        CheckpointError: the folder is there already.
    """
    check_new(out)
    out.mkdir(parents=True, exist_ok=True)
    for path in checkpoint.folder.iterdir():
        if path.is_file() and path.name != CONFIG_NAME:
            shutil.copyfile(path, out / path.name)
    settings = asdict(read_manifest(checkpoint.folder))
    kept = {name: settings[name] for name in ("name", "card", "scope")}
    version = checkpoint.version.removesuffix(MARK) + MARK
    return seal(out, {**kept, "version": version, "calibration": asdict(calibration)})


def check_new(out: Path) -> None:
    """Refuse a folder that holds anything: no calibration is written over a checkpoint that may be answering.

    Raises:
        CheckpointError: it does.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CheckpointError(f"{out} is there already: give a folder that is new or empty")
