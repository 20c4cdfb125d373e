"""What every way of running the graph has in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from inference.contract import CLASSES, INPUT_SHAPES, OUTPUT_NAMES, Tensor

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]

MAX_BATCH: Final = 64
"""Patients in one run of the graph; longer batches are run in pieces, so that memory stays bounded."""


class BackendError(RuntimeError):
    """The graph did not give a usable answer; the message says what to do."""


class BackendUnavailable(BackendError):
    """The model cannot be reached, is down, too busy or too late: the same question may be answered later."""


class BackendMismatch(BackendError):
    """The model that runs is not the one of the checkpoint: asking again does not help."""


class Backend(Protocol):
    """One way of running the graph of a checkpoint."""

    def run(self, arrays: Arrays, outputs: Sequence[str] = OUTPUT_NAMES) -> dict[str, Array]:
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
    """Cut a checked batch into batches of at most `MAX_BATCH` patients."""
    for start in range(0, check_arrays(arrays), MAX_BATCH):
        yield {name: np.ascontiguousarray(array[start : start + MAX_BATCH]) for name, array in arrays.items()}


def join_pieces(pieces: Sequence[dict[str, Array]]) -> dict[str, Array]:
    """Join the answers to the pieces of one batch."""
    if len(pieces) == 1:
        return pieces[0]
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


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
