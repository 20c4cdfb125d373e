"""A checkpoint and a folder of films -> the figures of `mllm-cds evaluate`, by the graph that serves.

The notes and measurements around each film are simulated (`inference.training.cohort`), by the grammar that training
never saw. This module runs the exported graph: what is judged is what answers at the bedside.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from inference.backends import Backend
from inference.calibrate import prediction_set, probabilities
from inference.checkpoint import Checkpoint
from inference.contract import DEMOGRAPHIC_SLOTS, DIAGNOSES, SLOTS, Tensor
from inference.figures import Figure
from inference.manifest import MASKS
from inference.training.data.films import Film, load_pixels
from inference.training.encode_cases import CaseArrays, arrays_of, cases_of
from inference.training.metrics import Metric, accuracy, bootstrap, calibration_error, macro_auc

FULL: Final = MASKS[-1]
SEED: Final = 20_000
"""Of the simulated cases that figures are made with; the training draws have others."""
BATCH: Final = 16

Arrays = Mapping[str, npt.NDArray[Any]]


def inputs_of(films: Sequence[Film], cases: CaseArrays) -> dict[str, npt.NDArray[Any]]:
    """Return the graph's inputs for films and the cases around them, everything present."""
    pixels = load_pixels(list(films)).astype(np.float32)[:, None] / np.float32(255)
    return {
        Tensor.IMAGE: pixels,
        Tensor.IMAGE_PRESENT: np.ones((len(films), 1), np.float32),
        Tensor.TOKENS: cases.tokens,
        Tensor.TEXT_PRESENT: cases.text_present,
        Tensor.VALUES: cases.values,
        Tensor.VALUE_PRESENT: cases.value_present,
        Tensor.VALUE_AGE: cases.value_age,
    }


def mask_inputs(inputs: Arrays, modalities: Collection[str]) -> dict[str, npt.NDArray[Any]]:
    """Take away what is not in `modalities`; age and sex stay, as they do at the bedside."""
    kept = dict(inputs)
    if "image" not in modalities:
        kept[Tensor.IMAGE_PRESENT] = np.zeros_like(kept[Tensor.IMAGE_PRESENT])
    if "text" not in modalities:
        kept[Tensor.TEXT_PRESENT] = np.zeros_like(kept[Tensor.TEXT_PRESENT])
    if "structured" not in modalities:
        measured = [place for place in range(SLOTS) if place not in DEMOGRAPHIC_SLOTS]
        for name in (Tensor.VALUE_PRESENT, Tensor.VALUES, Tensor.VALUE_AGE):
            kept[name] = kept[name].copy()
            kept[name][:, measured] = 0
    return kept


def ask(backend: Backend, inputs: Arrays, temperature: float) -> npt.NDArray[np.float32]:
    """Return calibrated probabilities (N, CLASSES)."""
    rows = []
    for start in range(0, len(inputs[Tensor.IMAGE]), BATCH):
        part = {name: array[start : start + BATCH] for name, array in inputs.items()}
        rows += [probabilities(row, temperature) for row in backend.run(part, [Tensor.LOGITS])[Tensor.LOGITS]]
    return np.stack(rows).astype(np.float32)


def image_swap(
    backend: Backend, inputs: Arrays, temperature: float, labels: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """Give each case a film of another class; returns how far the probability of its own class moved, (N,)."""
    rng = np.random.default_rng(SEED)
    others = np.array([rng.choice(np.flatnonzero(labels != label)) for label in labels])
    swapped = dict(inputs) | {Tensor.IMAGE: inputs[Tensor.IMAGE][others]}
    rows = np.arange(len(labels))
    before, after = ask(backend, inputs, temperature), ask(backend, swapped, temperature)
    moved: npt.NDArray[np.float32] = np.abs(before[rows, labels] - after[rows, labels])
    return moved


def assess(checkpoint: Checkpoint, backend: Backend, films: Sequence[Film]) -> list[Figure]:
    """Measure a checkpoint on films: each with its interval by patients, and with modalities taken away."""
    cases = arrays_of(cases_of(films, SEED, grammar="test"), checkpoint.tokenizer)
    inputs = inputs_of(films, cases)
    labels = np.array([film.label for film in films], np.int64)
    groups = [film.group for film in films]
    calibration, figures = checkpoint.calibration, []
    for mask in MASKS:
        found = ask(backend, mask_inputs(inputs, mask.split("+")), calibration.temperature)
        named = "" if mask == FULL else f".{mask}"
        metrics: dict[str, Metric] = {"auc": macro_auc, "accuracy": accuracy}
        if mask == FULL:
            metrics["ece"] = calibration_error
        for name, metric in metrics.items():
            low, high = bootstrap(metric, labels, found, groups)
            figures.append(Figure(name + named, metric(labels, found), "1", len(labels), low, high))
        quantile = calibration.quantiles[mask]
        covered = [label in prediction_set(row, quantile) for label, row in zip(labels, found, strict=True)]
        figures.append(Figure(f"coverage.{mask}", float(np.mean(covered)), "1", len(labels)))
        if mask == FULL:
            figures += recalls(labels, found)
    moved = image_swap(backend, inputs, calibration.temperature, labels)
    return [*figures, Figure("image_swap.mean_change", float(moved.mean()), "1", len(labels))]


def recalls(labels: npt.NDArray[np.int64], found: npt.NDArray[np.float32]) -> list[Figure]:
    """Return for each diagnosis the share of its cases that were named so."""
    named = found.argmax(1)
    rights = [named[labels == place] == place for place in range(len(DIAGNOSES))]
    return [
        Figure(f"recall.{diagnosis.key}", float(right.mean()), "1", len(right))
        for diagnosis, right in zip(DIAGNOSES, rights, strict=True)
    ]


def choose_films(films: Sequence[Film], *, everything: bool) -> list[Film]:
    """Return the films to judge: the test split of the training folder, or every film of a folder kept apart."""
    return list(films) if everything else [film for film in films if film.split == "test"]
