"""A checkpoint and films -> the figures of `mllm-cds evaluate`, by the graph that serves.

The notes and measurements around each film are simulated (`inference.training.cohort`), by the grammar that training
never saw, several times around each film: what depends on the simulation then depends less on one draw. The intervals
draw patients, so that many cases of one patient make no interval narrower than the patients allow.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from inference.backends import Backend
from inference.checkpoint import Checkpoint
from inference.contract import Tensor
from inference.figures import Figure
from inference.training.answer_figures import answer_figures
from inference.training.data.films import Film
from inference.training.encode_cases import arrays_of, cases_of
from inference.training.judged import judge_films
from inference.training.metrics import Labels, ratio_interval
from inference.training.scope.assess import scope_figures
from inference.training.served import Advance, Arrays, ServedFilms, ask, inputs_of, mask_inputs
from inference.training.trained_on import choose_films

__all__ = ["DRAWS", "SEED", "Arrays", "ask", "assess", "choose_films", "image_swap", "inputs_of", "mask_inputs"]

SEED: Final = 20_000
"""Of the simulated cases that figures are made with; the draws of training and calibration have others."""
DRAWS: Final = 3
"""Simulated cases around each film."""


def image_swap(
    backend: Backend, inputs: Arrays, temperatures: float | Sequence[float], labels: Labels
) -> npt.NDArray[np.float32]:
    """Give each case a film of another class; returns how far the probability of its own class moved, (N,)."""
    rng = np.random.default_rng(SEED)
    others = np.array([rng.choice(np.flatnonzero(labels != label)) for label in labels])
    swapped = dict(inputs) | {Tensor.IMAGE: inputs[Tensor.IMAGE][others]}
    rows = np.arange(len(labels))
    before, after = ask(backend, inputs, temperatures), ask(backend, swapped, temperatures)
    moved: npt.NDArray[np.float32] = np.abs(before[rows, labels] - after[rows, labels])
    return moved


def swap_figure(checkpoint: Checkpoint, backend: Backend, films: Sequence[Film]) -> Figure:
    """Measure how far answers move when the film is exchanged."""
    inputs = inputs_of(films, arrays_of(cases_of(films, SEED, grammar="test"), checkpoint.tokenizer))
    labels = np.array([film.label for film in films], np.int64)
    moved = image_swap(backend, inputs, checkpoint.calibration.temperatures, labels)
    low, high = ratio_interval(moved, np.ones(len(films)), [film.group for film in films])
    return Figure("image_swap.mean_change", float(moved.mean()), "1", len(films), low, high)


def assess(
    checkpoint: Checkpoint,
    backend: Backend,
    films: Sequence[Film],
    strangers: tuple[Path | None, Path | None] = (None, None),
    advance: Advance | None = None,
) -> list[Figure]:
    """Measure a checkpoint on films: each figure with its interval by patients, and with modalities taken away.

    Args:
        checkpoint: its tokenizer and calibration are used.
        backend: runs its graph.
        films: of every diagnosis; none of them trained on.
        strangers: folders of adults' films, for the scope gate: laid out as `chest-xray-adult`, `chest-xray-severity`.
        advance: told of progress, `2 * DRAWS` times the number of films in all.
    """
    adult, severity = strangers
    answers = judge_films(ServedFilms(backend, films, advance), films, checkpoint.tokenizer, SEED, DRAWS)
    figures = answer_figures(answers, checkpoint.calibration)
    figures.append(swap_figure(checkpoint, backend, films))
    return figures + scope_figures(checkpoint, backend, films, adult, severity)
