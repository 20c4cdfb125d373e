"""A checkpoint's model and films -> copies of it, each taught one kind of plant, kept where they are wanted again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from torch import Tensor

from explain.research.planted.cases import Ground, plant
from explain.research.planted.grounds import Grounds
from explain.research.planted.kept import load_tuned, path_in, save_tuned
from explain.research.planted.plan import Plan
from explain.research.planted.tune import Lesson, lesson_of, read_films, tune
from fhir_adapter.record import Modality
from inference.checkpoint import Checkpoint
from inference.model.mllm import MultimodalModel
from inference.training.pack import WEIGHTS_NAME
from inference.training.progress import Progress

VALIDATION_DRAW: Final = 900
"""Number of the plants in validation films: the views of films to learn from count from 1."""


@dataclass(frozen=True)
class Teacher:
    """What teaching needs.

    Attributes:
        model: as the checkpoint has it; it stays as it is.
        checkpoint: of the model.
        grounds: films to learn from and to stop by.
        plan: sizes of the run.
        work: folder where what was learnt is kept; None keeps nothing.
        progress: is told how far it is.
    """

    model: MultimodalModel
    checkpoint: Checkpoint
    grounds: Grounds
    plan: Plan
    work: Path | None
    progress: Progress

    def teach(self, modality: Modality) -> MultimodalModel:
        """Return a copy of the model that was taught the plants of a modality, now or in an earlier run.

        Raises:
            CheckpointError: what was kept is of no use.
        """
        path = self.place(modality)
        if path is not None and path.is_file():
            return load_tuned(path, self.model, modality)
        taught = tune(
            self.model, modality, self.lessons(modality), self.plan.stages[modality], self.plan.enough, self.progress
        )
        if path is not None:
            save_tuned(path, taught, modality)
        return taught

    def place(self, modality: Modality) -> Path | None:
        """Return where a taught copy is kept."""
        if self.work is None:
            return None
        films = [*self.grounds.learnt.films, *self.grounds.validation.films]
        return path_in(self.work, modality, self.checkpoint.folder / WEIGHTS_NAME, self.plan, films)

    def lessons(self, modality: Modality) -> tuple[Lesson, Lesson]:
        """Return the cases to learn from, and those to stop by."""
        views = range(1, self.plan.views + 1)
        seen = (None, None) if modality == "image" else self.films
        return (
            self.lesson(modality, self.grounds.learnt, views, seen[0]),
            self.lesson(modality, self.grounds.validation, [VALIDATION_DRAW], seen[1]),
        )

    @cached_property
    def films(self) -> tuple[Tensor, Tensor]:
        """Tokens of the films to learn from and to stop by, as they are: the same for note and measurements."""
        return read_films(self.model, self.grounds.learnt), read_films(self.model, self.grounds.validation)

    def lesson(self, modality: Modality, ground: Ground, draws: Sequence[int], seen: Tensor | None) -> Lesson:
        """Plant once for each draw; `seen` are the tokens of films in which nothing is planted."""
        planted = [plant(modality, ground, self.checkpoint.tokenizer, draw) for draw in draws]
        return lesson_of(self.model, planted, seen)
