"""A number of rows -> slices of at most one batch."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor


def in_batches(tensor: Tensor, size: int, *, whole: bool = False) -> Iterator[Tensor]:
    """Yield the rows of a tensor (N, ...) in batches of `size`; with `whole` the last, smaller one is left out."""
    end = len(tensor) - len(tensor) % size if whole else len(tensor)
    for start in range(0, end, size):
        yield tensor[start : start + size]
