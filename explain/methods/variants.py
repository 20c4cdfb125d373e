"""One case -> the same case with parts of its film blurred or words of its note taken away, many at once.

A part of the film is covered by a strongly blurred copy, not by black: black is what the model knows as air, and a
finding. A word is taken away by deleting its word pieces. A mask token would be further from what the model has seen:
it never met one in training, while notes that leave a finding out are most of what it met.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from explain.methods.inputs import CheckInputs
from inference.calibrate import DoubleArray
from inference.contract import DIAGNOSES, GRID, PATCH, FloatArray, IntArray, Tensor
from inference.explore import Chart, Explorer, Memory

BLUR: Final = 0.075
"""Standard deviation of the blur as a part of the film's side: wider than a rib, so that what remains is a shade."""

Mask = npt.NDArray[np.bool_]
_PLACE_OF: Final = {diagnosis.key: place for place, diagnosis in enumerate(DIAGNOSES)}


def answer_place(case: CheckInputs) -> int:
    """Return the column of the case's answer."""
    return _PLACE_OF[case.answer]


def falls(case: CheckInputs, shares: DoubleArray) -> DoubleArray:
    """Return how far the probability of the answer falls below the one shown, for probabilities (B, CLASSES)."""
    fall: DoubleArray = case.probability - shares[:, answer_place(case)]
    return fall


def ask_covered(case: CheckInputs, explorer: Explorer, memory: Memory, masks: Mask) -> DoubleArray:
    """Answer with each of B parts of the film covered: probabilities (B, CLASSES).

    Args:
        case: it has a film.
        explorer: of its checkpoint.
        memory: of the case.
        masks: pixels to cover (B, IMAGE_SIZE, IMAGE_SIZE).
    """
    film = case.arrays[Tensor.IMAGE][0, 0]
    return explorer.films(memory, np.where(masks, blurred(film), film)[:, None], Chart.of(case.arrays))


def blurred(film: FloatArray) -> FloatArray:
    """Return a strongly blurred copy of a film, grey 0..1."""
    grey = Image.fromarray(np.rint(film.clip(0, 1) * 255).astype(np.uint8))
    soft = grey.filter(ImageFilter.GaussianBlur(BLUR * len(film)))
    return np.asarray(soft, np.float32) / np.float32(255)


def patch_mask(patches: Mask) -> Mask:
    """Return the pixels (B, IMAGE_SIZE, IMAGE_SIZE) of patches (B, PATCHES)."""
    grid = patches.reshape(-1, GRID, GRID)
    return grid.repeat(PATCH, axis=1).repeat(PATCH, axis=2)


def tokens_of(case: CheckInputs, ranges: Sequence[tuple[int, int]] | IntArray) -> Mask:
    """Return which tokens stand for text within each of the ranges of characters, shape (len(ranges), N)."""
    spans = np.asarray(ranges, np.int64).reshape(-1, 2)
    start, end = case.offsets.T
    inside = (start < spans[:, 1:]) & (end > spans[:, :1])
    found: Mask = inside & (end > start)
    return found


def ask_without_tokens(case: CheckInputs, explorer: Explorer, memory: Memory, gone: Mask) -> DoubleArray:
    """Answer with tokens of the note deleted; `gone` (B, N): probabilities (B, CLASSES).

    What stands behind the end of what the model read does not move in. A note of which no word is left is no note.
    """
    tokens = case.arrays[Tensor.TOKENS][0]
    rows = [shortened(tokens, row) for row in gone]
    is_text = case.offsets[:, 1] > case.offsets[:, 0]
    left = (is_text & ~gone).any(1, keepdims=True)
    present = case.arrays[Tensor.TEXT_PRESENT] * left.astype(np.float32)
    return explorer.notes(memory, np.array(rows, np.int64), present, Chart.of(case.arrays))


def shortened(tokens: IntArray, gone: Mask) -> IntArray:
    """Return token ids (N,) without some, closed up and padded to the same length."""
    left = np.zeros_like(tokens)
    kept = tokens[~gone]
    left[: len(kept)] = kept
    return left


def distinct(numbers: Iterable[int]) -> tuple[int, ...]:
    """Return numbers in order, each once."""
    return tuple(dict.fromkeys(numbers))
