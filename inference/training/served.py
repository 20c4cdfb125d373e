"""Films and cases -> the arrays of the served graph, and its answers; what is judged is what answers at the bedside."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from inference.backends import Backend
from inference.calibrate import probabilities
from inference.contract import DEMOGRAPHIC_SLOTS, SLOTS, FloatArray, Tensor
from inference.training.data.films import Film, load_pixels
from inference.training.encode_cases import CaseArrays

BATCH: Final = 16

Arrays = Mapping[str, npt.NDArray[Any]]
Advance = Callable[[int], None]
"""Told how many films were judged since it was last called."""


def case_inputs(cases: CaseArrays) -> dict[str, npt.NDArray[Any]]:
    """Return the graph's inputs for cases, all but the film's."""
    return {
        Tensor.TOKENS: cases.tokens,
        Tensor.TEXT_PRESENT: cases.text_present,
        Tensor.VALUES: cases.values,
        Tensor.VALUE_PRESENT: cases.value_present,
        Tensor.VALUE_AGE: cases.value_age,
    }


def inputs_of(films: Sequence[Film], cases: CaseArrays) -> dict[str, npt.NDArray[Any]]:
    """Return the graph's inputs for films and the cases around them, everything present."""
    pixels = load_pixels(list(films)).astype(np.float32)[:, None] / np.float32(255)
    return {Tensor.IMAGE: pixels, Tensor.IMAGE_PRESENT: np.ones((len(films), 1), np.float32), **case_inputs(cases)}


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


def ask(backend: Backend, inputs: Arrays, temperatures: float | Sequence[float]) -> npt.NDArray[np.float32]:
    """Return calibrated probabilities (N, CLASSES)."""
    rows = []
    for start in range(0, len(inputs[Tensor.IMAGE]), BATCH):
        part = {name: array[start : start + BATCH] for name, array in inputs.items()}
        rows += [probabilities(row, temperatures) for row in backend.run(part, [Tensor.LOGITS])[Tensor.LOGITS]]
    return np.stack(rows).astype(np.float32)


class ServedFilms:
    """The served graph with films before it: cases around them -> logits of every subset of the modalities."""

    def __init__(self, backend: Backend, films: Sequence[Film], advance: Advance | None = None) -> None:
        self.backend, self.pixels, self.advance = backend, load_pixels(films), advance

    def __call__(self, cases: CaseArrays) -> FloatArray:
        """Return logits (N, 8, CLASSES); see `inference.training.judged.AnswerSubsets`."""
        arrays, found = case_inputs(cases), []
        for start in range(0, len(self.pixels), BATCH):
            pixels = self.pixels[start : start + BATCH, None].astype(np.float32) / np.float32(255)
            part = {name: array[start : start + BATCH] for name, array in arrays.items()}
            part |= {Tensor.IMAGE: pixels, Tensor.IMAGE_PRESENT: np.ones((len(pixels), 1), np.float32)}
            found.append(self.backend.run(part, [Tensor.SUBSET_LOGITS])[Tensor.SUBSET_LOGITS])
            if self.advance is not None:
                self.advance(len(pixels))
        logits: FloatArray = np.concatenate(found)
        return logits
