"""What every way of running the graph has in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from inference.contract import ANSWER_NAMES, CLASSES, INPUT_SHAPES, PER_PIECE, TEXT_TOKENS, Tensor

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]

MAX_BATCH: Final = 64
"""Patients in one run of the graph; longer batches are run in pieces, so that memory stays bounded."""
WIDTH_STEP: Final = 32
"""Word pieces are given to the graph in multiples of this: few widths, so that Triton finds requests to batch."""


class BackendError(RuntimeError):
    """The graph did not give a usable answer; the message says what to do."""


class BackendUnavailable(BackendError):
    """The model cannot be reached, is down, too busy or too late: the same question may be answered later."""


class BackendMismatch(BackendError):
    """The model that runs is not the one of the checkpoint: asking again does not help."""


class Backend(Protocol):
    """One way of running the graph of a checkpoint."""

    def run(self, arrays: Arrays, outputs: Sequence[str] = ANSWER_NAMES) -> dict[str, Array]:
        """Run the graph on B patients.

        Args:
            arrays: the tensors of `contract.INPUT_SHAPES`, each with a leading batch axis of B.
            outputs: which of `contract.OUTPUT_NAMES` are wanted; what only the others need is not computed.

        Raises:
            ValueError: an array is missing or has another shape or type than the contract says.
            BackendError: there is no usable answer.
        """

    def healthy(self) -> bool:
        """Say whether the graph answers now, by asking it: a server may call itself ready and fail every question."""

    def close(self) -> None:
        """Give back what the backend holds."""


def input_type(name: str) -> type[np.int64] | type[np.float32]:
    """Return the element type of an input."""
    return np.int64 if name == Tensor.TOKENS else np.float32


def check_arrays(arrays: Arrays) -> int:
    """Return the number of patients in a batch.

    Raises:
        ValueError: an array is missing, unknown, or has another shape or type than the contract says.
    """
    if arrays.keys() != INPUT_SHAPES.keys():
        raise ValueError(f"the model takes exactly {', '.join(INPUT_SHAPES)}; got {', '.join(sorted(arrays))}")
    batch = len(next(iter(arrays.values())))
    for name, shape in INPUT_SHAPES.items():
        if arrays[name].shape != (batch, *shape) or arrays[name].dtype != input_type(name):
            raise ValueError(
                f"{name} must be {np.dtype(input_type(name))} {(batch, *shape)}, "
                f"not {arrays[name].dtype} {arrays[name].shape}"
            )
    return batch


def in_pieces(arrays: Arrays) -> Iterator[Arrays]:
    """Cut a checked batch into batches of at most `MAX_BATCH` patients, without the padding that all notes share."""
    for start in range(0, check_arrays(arrays), MAX_BATCH):
        piece = {name: array[start : start + MAX_BATCH] for name, array in arrays.items()}
        piece[Tensor.TOKENS] = piece[Tensor.TOKENS][:, : width_of(piece[Tensor.TOKENS])]
        yield {name: np.ascontiguousarray(array) for name, array in piece.items()}


def width_of(tokens: Array) -> int:
    """Return how many columns of tokens (B, N) the graph must be given: 1 where all is padding."""
    used = np.flatnonzero(tokens.any(0))
    longest = int(used[-1]) + 1 if len(used) else 0
    return min(-(-longest // WIDTH_STEP) * WIDTH_STEP, tokens.shape[1]) or 1


def join_pieces(pieces: Sequence[dict[str, Array]]) -> dict[str, Array]:
    """Join the answers to the pieces of one batch, with zeros where the padding of the notes was left out."""
    whole = [{name: padded(array) if name in PER_PIECE else array for name, array in piece.items()} for piece in pieces]
    if len(whole) == 1:
        return whole[0]
    return {name: np.concatenate([piece[name] for piece in whole]) for name in whole[0]}


def padded(array: Array) -> Array:
    """Return (B, N, ...) with zeros up to TEXT_TOKENS on its second axis."""
    missing = TEXT_TOKENS - array.shape[1]
    return np.pad(array, [(0, 0), (0, missing)] + [(0, 0)] * (array.ndim - 2)) if missing else array


def canary() -> dict[str, Array]:
    """Return a patient of whom nothing is known, to see whether the graph answers."""
    return {name: np.zeros((1, *shape), input_type(name)) for name, shape in INPUT_SHAPES.items()}


def passes_canary(backend: Backend) -> bool:
    """Ask a backend about nobody and say whether an answer came."""
    try:
        logits = backend.run(canary(), (Tensor.LOGITS,))[Tensor.LOGITS]
    except BackendError:
        return False
    return logits.shape == (1, CLASSES) and bool(np.isfinite(logits).all())
