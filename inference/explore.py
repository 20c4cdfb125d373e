"""A checkpoint -> what it would answer if a case were different: the runs behind every test of an explanation.

Slow beside one answer and never on its way: whoever runs hundreds of variants gives way to waiting hooks by `pause`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from inference.backends.cut import FUSION_INPUTS, PREDICTION, Part
from inference.backends.protocol import Array, Arrays, width_of
from inference.calibrate import DoubleArray, probabilities
from inference.checkpoint import Checkpoint
from inference.contract import INPUT_SHAPES, FloatArray, IntArray, Tensor

FILMS: Final = 4
"""Films in one run of their encoder, some 20 ms: a longer run would keep a waiting hook from the core."""
ROWS: Final = 16
"""Notes, or structured records, in one run."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What the encoders made of one case, or of B variants of it: only the fusion has to run again.

    Attributes:
        image: tokens of the film (B, P, D), the learned absent token where there is none.
        note: tokens of the note (B, N, D), the same where there is none.
        tokens: word-piece ids (B, N), which say where the padding is.
        text_present: (B, 1).
    """

    image: FloatArray
    note: FloatArray
    tokens: IntArray
    text_present: FloatArray


@dataclass(frozen=True, slots=True)
class Chart:
    """The structured record of one case, or of B variants of it: values, presence and age in days, each (B, SLOTS)."""

    values: FloatArray
    present: FloatArray
    age: FloatArray

    @classmethod
    def of(cls, arrays: Arrays) -> Chart:
        """Take the structured record out of the arrays of a case."""
        return cls(arrays[Tensor.VALUES], arrays[Tensor.VALUE_PRESENT], arrays[Tensor.VALUE_AGE])


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
        self._threads = threads
        self._whole = self._open(list(INPUT_SHAPES), PREDICTION)
        self._film = self._open([Tensor.IMAGE, Tensor.IMAGE_PRESENT], [Tensor.IMAGE_MEMORY])
        # The graph takes the number of patients from the last input wherever it has to say it.
        self._note = self._open([Tensor.TOKENS, Tensor.TEXT_PRESENT, Tensor.VALUE_PRESENT], [Tensor.NOTE_MEMORY])
        self._fusion = self._open(FUSION_INPUTS, [Tensor.LOGITS])

    def _open(self, inputs: Sequence[str], outputs: Sequence[str]) -> Part:
        self.pause()
        return Part(self.checkpoint.model_path, inputs, outputs, threads=self._threads)

    def whole(self, arrays: Arrays) -> DoubleArray:
        """Answer B whole cases, arrays as `contract.INPUT_SHAPES` with a leading B: probabilities (B, CLASSES)."""
        return self._calibrated(self._run(self._whole, trimmed(arrays), FILMS, Tensor.LOGITS))

    def memory(self, arrays: Arrays) -> Memory:
        """Run the encoders on B cases."""
        given = trimmed(arrays)
        image = self._run(self._film, given, FILMS, Tensor.IMAGE_MEMORY)
        note = self._run(self._note, given, ROWS, Tensor.NOTE_MEMORY)
        return Memory(image, note, given[Tensor.TOKENS], given[Tensor.TEXT_PRESENT])

    def films(self, memory: Memory, images: FloatArray, chart: Chart) -> DoubleArray:
        """Answer one case with each of B other films (B, 1, S, S): probabilities (B, CLASSES)."""
        given: dict[str, Array] = {Tensor.IMAGE: images, Tensor.IMAGE_PRESENT: np.ones((len(images), 1), np.float32)}
        image = self._run(self._film, given, FILMS, Tensor.IMAGE_MEMORY)
        return self.fused(Memory(image, memory.note, memory.tokens, memory.text_present), chart)

    def notes(self, memory: Memory, tokens: IntArray, present: FloatArray, chart: Chart) -> DoubleArray:
        """Answer one case with each of B other notes, tokens (B, N) and presence (B, 1): probabilities (B, CLASSES)."""
        ids = np.ascontiguousarray(tokens[:, : width_of(tokens)])
        given: dict[str, Array] = {
            Tensor.TOKENS: ids,
            Tensor.TEXT_PRESENT: present,
            Tensor.VALUE_PRESENT: np.zeros((len(ids), chart.present.shape[1]), np.float32),
        }
        note = self._run(self._note, given, ROWS, Tensor.NOTE_MEMORY)
        return self.fused(Memory(memory.image, note, ids, present), chart)

    def fused(self, memory: Memory, chart: Chart) -> DoubleArray:
        """Run the fusion alone; where `memory` or `chart` has one row, it goes with each row of the other.

        Returns:
            Probabilities (B, CLASSES).
        """
        arrays: dict[str, Array] = {
            Tensor.IMAGE_MEMORY: memory.image,
            Tensor.NOTE_MEMORY: memory.note,
            Tensor.TOKENS: memory.tokens,
            Tensor.TEXT_PRESENT: memory.text_present,
            Tensor.VALUES: chart.values,
            Tensor.VALUE_PRESENT: chart.present,
            Tensor.VALUE_AGE: chart.age,
        }
        return self._calibrated(self._run(self._fusion, arrays, ROWS, Tensor.LOGITS))

    def _run(self, part: Part, arrays: Arrays, most: int, output: str) -> FloatArray:
        """Run a part on arrays of B rows, or of one row that goes with each, at most `most` rows at a time."""
        rows = max(len(arrays[name]) for name in part.inputs)
        found = []
        for start in range(0, rows, most):
            self.pause()
            many = min(most, rows - start)
            piece = {name: _rows(arrays[name], start, many) for name in part.inputs}
            found.append(part.run(piece)[output])
        return np.concatenate(found)

    def _calibrated(self, logits: FloatArray) -> DoubleArray:
        return probabilities(logits, self.checkpoint.calibration.temperatures)


def _rows(array: Array, start: int, many: int) -> Array:
    """Return rows of an array; of an array of one row, that row as often as wanted."""
    return np.repeat(array, many, 0) if len(array) == 1 else np.ascontiguousarray(array[start : start + many])


def trimmed(arrays: Arrays) -> dict[str, Array]:
    """Return arrays without the columns of tokens that are padding in every row."""
    tokens = arrays[Tensor.TOKENS]
    return {**arrays, Tensor.TOKENS: np.ascontiguousarray(tokens[:, : width_of(tokens)])}
