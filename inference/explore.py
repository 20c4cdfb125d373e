"""A checkpoint -> what it would answer if a case were different: the runs behind every test of an explanation.

Slow beside one answer and never on its way: whoever runs hundreds of variants gives way to waiting hooks by `pause`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from inference.backends.cut import FUSION_INPUTS, PREDICTION, Part
from inference.backends.protocol import Array, Arrays, width_of
from inference.calibrate import DoubleArray, probabilities
from inference.checkpoint import Checkpoint
from inference.contract import INPUT_SHAPES, MEMORY_NAMES, FloatArray, IntArray, Tensor

WHOLE_ROWS: Final = 4
"""Variants of a film in one run: longer ones would keep a waiting hook from the core."""
FUSED_ROWS: Final = 32
"""Variants of the structured record in one run."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What the encoders made of one case, so that only the fusion has to run again.

    Attributes:
        image: tokens of the film (1, P, D), the learned absent token where there is none.
        note: tokens of the note (1, N, D), the same where there is none.
        tokens: word-piece ids (1, N), which say where the padding is.
        text_present: (1, 1).
    """

    image: FloatArray
    note: FloatArray
    tokens: IntArray
    text_present: FloatArray


class Explorer:
    """Calibrated answers to variants of a case; safe to use from one thread at a time."""

    def __init__(self, checkpoint: Checkpoint, *, threads: int = 1, pause: Callable[[], None] = lambda: None) -> None:
        """Cut the checkpoint's graph.

        Args:
            checkpoint: its graph is read from its folder, also where Triton serves.
            threads: CPU threads of one run.
            pause: called before each run; it may wait.

        Raises:
            BackendError: the graph cannot be run here.
        """
        self.checkpoint, self.pause = checkpoint, pause
        path, whole = checkpoint.model_path, list(INPUT_SHAPES)
        self._whole = Part(path, whole, PREDICTION, threads=threads)
        self._encoders = Part(path, whole, MEMORY_NAMES, threads=threads)
        self._fusion = Part(path, FUSION_INPUTS, [Tensor.LOGITS], threads=threads)

    def whole(self, arrays: Arrays) -> DoubleArray:
        """Answer B whole cases, arrays as `contract.INPUT_SHAPES` with a leading B: probabilities (B, CLASSES)."""
        return self._ask(self._whole, trimmed(arrays), WHOLE_ROWS)

    def memory(self, arrays: Arrays) -> Memory:
        """Run the encoders on one case."""
        self.pause()
        given = trimmed(arrays)
        found = self._encoders.run(given)
        return Memory(
            found[Tensor.IMAGE_MEMORY], found[Tensor.NOTE_MEMORY], given[Tensor.TOKENS], given[Tensor.TEXT_PRESENT]
        )

    def fused(self, memory: Memory, values: FloatArray, present: FloatArray, age: FloatArray) -> DoubleArray:
        """Answer B variants of the structured record of one case, each array (B, SLOTS): probabilities (B, CLASSES)."""
        rows = len(values)
        arrays: dict[str, Array] = {
            Tensor.IMAGE_MEMORY: np.repeat(memory.image, rows, 0),
            Tensor.NOTE_MEMORY: np.repeat(memory.note, rows, 0),
            Tensor.TOKENS: np.repeat(memory.tokens, rows, 0),
            Tensor.TEXT_PRESENT: np.repeat(memory.text_present, rows, 0),
            Tensor.VALUES: values,
            Tensor.VALUE_PRESENT: present,
            Tensor.VALUE_AGE: age,
        }
        return self._ask(self._fusion, arrays, FUSED_ROWS)

    def _ask(self, graph: Part, arrays: Arrays, most: int) -> DoubleArray:
        found = []
        for start in range(0, len(arrays[Tensor.TOKENS]), most):
            self.pause()
            piece = {name: np.ascontiguousarray(array[start : start + most]) for name, array in arrays.items()}
            found.append(graph.run(piece)[Tensor.LOGITS])
        return probabilities(np.concatenate(found), self.checkpoint.calibration.temperatures)


def trimmed(arrays: Arrays) -> dict[str, Array]:
    """Return arrays without the columns of tokens that are padding in every row."""
    tokens = arrays[Tensor.TOKENS]
    return {**arrays, Tensor.TOKENS: np.ascontiguousarray(tokens[:, : width_of(tokens)])}
