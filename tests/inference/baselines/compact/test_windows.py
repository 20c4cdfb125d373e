from __future__ import annotations

import pytest
import torch
from torch import Tensor

from inference.baselines.compact.windows import (
    PatchMerging,
    WindowBlock,
    cut_windows,
    join_windows,
    relative_places,
    strangers,
)


def reach(block: WindowBlock, row: int, column: int) -> Tensor:
    """Which tokens (G, G) of a square the output at one place depends on."""
    squares = torch.randn(1, block.grid, block.grid, 8, requires_grad=True)
    block.eval()(squares)[0, row, column].sum().backward()
    assert squares.grad is not None
    return squares.grad[0].abs().sum(-1) > 0


def window_of(size: int, row: int, column: int, side: int = 2) -> Tensor:
    """A square (size, size) in which one window is marked."""
    marked = torch.zeros(size, size, dtype=torch.bool)
    marked[row : row + side, column : column + side] = True
    return marked


def test_windows_are_cut_and_joined_without_loss() -> None:
    """Joining undoes cutting, and a window holds neighbours."""
    squares = torch.arange(2 * 6 * 6 * 3).view(2, 6, 6, 3)
    windows = cut_windows(squares, 3)

    assert torch.equal(join_windows(windows, 6, 3), squares)
    assert torch.equal(windows[1], squares[0, :3, 3:].reshape(9, 3))


@pytest.mark.parametrize(("row", "column"), [(0, 0), (1, 2), (3, 3)])
def test_attention_stays_inside_its_window(row: int, column: int) -> None:
    """A token hears of its own window and of no other."""
    block = WindowBlock(8, 2, 4, 2, shift=0, dropout=0.0)

    assert torch.equal(reach(block, row, column), window_of(4, row // 2 * 2, column // 2 * 2))


def test_shifted_windows_lie_across_the_first_ones() -> None:
    """Moved by one, the middle of the square is one window."""
    block = WindowBlock(8, 2, 4, 2, shift=1, dropout=0.0)

    assert torch.equal(reach(block, 1, 1), window_of(4, 1, 1))


def test_shift_does_not_join_opposite_edges() -> None:
    """A corner that the cyclic shift put beside the other corners hears only itself."""
    block = WindowBlock(8, 2, 4, 2, shift=1, dropout=0.0)

    assert torch.equal(reach(block, 0, 0), window_of(4, 0, 0, side=1))


def test_no_token_is_a_stranger_without_a_shift() -> None:
    """The mask is needed only where edges meet."""
    assert not strangers(6, 3, 0).any()


def test_relative_places_depend_on_the_distance_alone() -> None:
    """Two pairs with the same step share one learned number; a window of side w has (2 w - 1)^2 of them."""
    places = relative_places(3)

    assert places[0, 1] == places[4, 5]
    assert places[0, 1] != places[1, 0]
    assert len(set(places.flatten().tolist())) == 25


def test_merging_halves_the_sides() -> None:
    """Four tokens become one of twice the width."""
    assert PatchMerging(8)(torch.randn(2, 4, 4, 8)).shape == (2, 2, 2, 16)


def test_window_that_does_not_fill_the_grid_is_refused() -> None:
    """The error names both numbers."""
    with pytest.raises(ValueError, match="windows of 3 do not fill a grid of 4"):
        WindowBlock(8, 2, 4, 3, shift=0, dropout=0.0)
