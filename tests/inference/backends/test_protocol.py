from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from inference.backends.protocol import MAX_BATCH, Array, canary, check_arrays, in_pieces, join_pieces
from inference.contract import Tensor


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda arrays: arrays.pop("image"), "takes exactly"),
        (lambda arrays: arrays.update(extra=np.zeros(1)), "takes exactly"),
        (lambda arrays: arrays.update(image=np.zeros((1, 128, 128), np.float32)), "image must be float32"),
        (lambda arrays: arrays.update(values=np.zeros((1, 13), np.float32)), "values must be float32"),
        (lambda arrays: arrays.update(tokens=np.zeros((1, 160), np.int32)), "tokens must be int64"),
        (lambda arrays: arrays.update(value_age=np.zeros((1, 14))), "value_age must be float32"),
        (lambda arrays: arrays.update(text_present=np.zeros((2, 1), np.float32)), "text_present must be float32"),
    ],
)
def test_arrays_of_another_form_are_refused(change: Callable[[dict[str, Array]], object], sentence: str) -> None:
    """An array that the contract does not know is refused by its name before any model sees it."""
    arrays = canary()
    change(arrays)

    with pytest.raises(ValueError, match=sentence):
        check_arrays(arrays)


@pytest.mark.parametrize(
    ("patients", "sizes"),
    [(1, [1]), (MAX_BATCH, [MAX_BATCH]), (2 * MAX_BATCH + 3, [MAX_BATCH, MAX_BATCH, 3])],
)
def test_long_batch_is_cut_and_joined_in_order(patients: int, sizes: list[int]) -> None:
    """Pieces are small enough, and joined again they are the batch."""
    arrays = {name: np.repeat(array, patients, 0) for name, array in canary().items()}
    arrays[Tensor.TEXT_PRESENT][:, 0] = np.arange(patients)
    pieces = [dict(piece) for piece in in_pieces(arrays)]

    assert [len(piece[Tensor.IMAGE]) for piece in pieces] == sizes
    assert join_pieces(pieces)[Tensor.TEXT_PRESENT][:, 0].tolist() == list(range(patients))
