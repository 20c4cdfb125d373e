"""What was asked of `mllm-cds compare` -> trained systems where they are missing, and the figures of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from inference.backends import Backend
from inference.checkpoint import Checkpoint
from inference.figures import Figure
from inference.training.compare.budget import Budget
from inference.training.compare.judge import judge
from inference.training.compare.kept import Shelf, load_system, save_system
from inference.training.compare.material import gather
from inference.training.compare.systems import TRAINED, Ground
from inference.training.compare.train import train_system
from inference.training.data.films import Film
from inference.training.progress import Progress
from inference.training.trained_on import LEARNT_FROM, digests_of, share_films


class CompareError(RuntimeError):
    """A comparison that cannot be made; the message says what to add."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One comparison.

    Attributes:
        judged: films that every system is asked about.
        training: films of the folder whose training split missing systems are trained on; None where there is none to
            train on.
        seeds: 0 to `seeds` - 1.
        shelf: where trained systems lie.
        budget: what each of them gets.
    """

    judged: Sequence[Film]
    training: Sequence[Film] | None
    seeds: int
    shelf: Shelf
    budget: Budget


@dataclass(frozen=True, slots=True)
class Comparison:
    """The figures, the seeds of the trained systems behind them, and what the reader must be told."""

    figures: list[Figure]
    seeds: tuple[int, ...]
    remark: str


def usable_seeds(plan: Plan) -> tuple[int, ...]:
    """Return the seeds to judge: all that are asked for where missing ones can be trained, else those that are whole.

    Raises:
        CompareError: not one is whole, and there is nothing to train on.
    """
    lacking = {seed for seed, _ in plan.shelf.missing(plan.seeds)}
    if plan.training is not None or not lacking:
        return tuple(range(plan.seeds))
    if whole := tuple(seed for seed in range(plan.seeds) if seed not in lacking):
        return whole
    raise CompareError(
        "no compared system is trained for this checkpoint, and a folder judged whole is not trained on: add "
        "--train-images with the folder the checkpoint was trained on"
    )


def may_train(films: Sequence[Film], judged: Sequence[Film]) -> Sequence[Film] | None:
    """Return the films of a judged folder where it has a training split that is not judged, else None."""
    has_split = {split for film in films if (split := film.split) in LEARNT_FROM} == set(LEARNT_FROM)
    return films if has_split and not any(film.split in LEARNT_FROM for film in judged) else None


def check_apart(plan: Plan) -> None:
    """Refuse to train on a film that is judged, whatever its name.

    Raises:
        CompareError: a judged film is in the training or validation split.
    """
    learnt = [film for film in plan.training or () if film.split in LEARNT_FROM]
    if share_films(plan.judged, digests_of(learnt)):
        raise CompareError(
            "a film that is judged is in the training split as well: give --train-images a folder without it"
        )


def train_missing(plan: Plan, ground: Ground, progress: Progress) -> None:
    """Train every system that is not kept yet, each kept as soon as it is done."""
    missing = plan.shelf.missing(plan.seeds)
    if not missing or plan.training is None:
        return
    check_apart(plan)
    progress.say(f"{len(missing)} systems are to be trained; reading the films of the training split")
    material = gather(ground, plan.budget, plan.training)
    if len(material.films) < max(plan.budget.passes.batch, plan.budget.probe.batch):
        raise CompareError(
            f"the training split has {len(material.films)} films, fewer than one batch: give a larger --train-images"
        )
    for seed, name in missing:
        save_system(plan.shelf.own(name, seed), name, train_system(name, material, seed, progress), ground)


def check_kept(plan: Plan, ground: Ground) -> None:
    """Open every kept file once, before hours are spent.

    Raises:
        CheckpointError: one is of another checkpoint or unreadable.
    """
    for seed in range(plan.seeds):
        for name in TRAINED:
            if (path := plan.shelf.find(name, seed)) is not None:
                load_system(path, name, ground)


def take_threads(threads: int) -> None:
    """Run training and judging on so many CPU threads."""
    torch.set_num_threads(threads)


def compare(plan: Plan, checkpoint: Checkpoint, backend: Backend, ground: Ground, progress: Progress) -> Comparison:
    """Train what is missing and judge everything.

    Raises:
        CompareError: nothing is trained and nothing can be.
        CheckpointError: a kept file is of another checkpoint.
    """
    seeds = usable_seeds(plan)
    check_kept(plan, ground)
    train_missing(plan, ground, progress)
    figures = judge(checkpoint, backend, ground, plan.judged, (plan.shelf, seeds))
    remark = ""
    if len(seeds) < plan.seeds:
        remark = f"{len(seeds)} of {plan.seeds} seeds are trained and were used; --train-images would train the others."
    return Comparison(figures, seeds, remark)
