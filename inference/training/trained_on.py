"""Films of a training run -> a file of their digests, and which films of a folder a checkpoint has not seen.

A film is known by its bytes, so a copy under another name is known too; another film of the same child is not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from inference.checkpoint import TRAINED_ON_NAME, CheckpointError
from inference.training.data.films import Film, FolderError

LEARNT_FROM: Final = ("train", "validation")
"""Splits that decide the weights: one by what they show, the other by which weights are kept."""
ARRAY: Final = "films"

Digests = npt.NDArray[np.uint64]


def digests_of(films: Sequence[Film]) -> Digests:
    """Return the first 8 bytes of each film's SHA-256, (N,)."""
    return np.array([int.from_bytes(hashlib.sha256(film.path.read_bytes()).digest()[:8]) for film in films], np.uint64)


def write_trained_on(films: Sequence[Film], folder: Path) -> None:
    """Write the digests of the films of a run that decided its weights, before the checkpoint is sealed."""
    digests = np.unique(digests_of([film for film in films if film.split in LEARNT_FROM]))
    np.savez(folder / TRAINED_ON_NAME, allow_pickle=False, **{ARRAY: digests})


def read_trained_on(folder: Path) -> Digests | None:
    """Return the digests that a checkpoint folder holds, or None for a checkpoint that does not tell.

    Raises:
        CheckpointError: the file holds something else.
    """
    path = folder / TRAINED_ON_NAME
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as arrays:
            digests: Digests = arrays[ARRAY].astype(np.uint64)
    except (OSError, ValueError, KeyError) as error:
        raise CheckpointError(f"{path} holds no digests of films: train the checkpoint again") from error
    return digests


def share_films(films: Sequence[Film], trained_on: Digests) -> bool:
    """Say whether any film of a folder was trained on."""
    return bool(np.isin(digests_of(films), trained_on).any())


def choose_films(films: Sequence[Film], trained_on: Digests | None = None, *, everything: bool = False) -> list[Film]:
    """Choose what a checkpoint may be judged by.

    A folder that shares films with the training is judged by its test split, one that shares none by every film.

    Args:
        films: the whole folder.
        trained_on: digests from `read_trained_on`; None where the checkpoint does not tell.
        everything: judge all that was not trained on, also in a folder that shares films with the training.

    Raises:
        FolderError: nothing is left.
    """
    unseen, shared = list(films), trained_on is None
    if trained_on is not None:
        seen = np.isin(digests_of(films), trained_on)
        unseen, shared = [film for film, known in zip(films, seen, strict=True) if not known], bool(seen.any())
    chosen = [film for film in unseen if everything or not shared or film.split == "test"]
    if not chosen:
        raise FolderError("no film is left that the checkpoint may be judged by: give a folder that it has not seen")
    return chosen


def describe_choice(films: Sequence[Film], chosen: Sequence[Film], trained_on: Digests | None) -> str:
    """Say how many films of a folder are judged, and whether the checkpoint has seen them."""
    told = "none of which the checkpoint was trained on"
    if trained_on is None:
        told = "and the checkpoint does not tell which films it was trained on"
    return f"{len(chosen)} of {len(films)} films are judged, {told}."
