"""Self-attention inside windows of a square of tokens, and the merging of patches: the parts of a Swin transformer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from inference.model.blocks import TransformerBlock


def cut_windows(squares: Tensor, window: int) -> Tensor:
    """Cut squares of tokens (B, G, G, W) into windows (B * windows, window^2, W)."""
    batch, grid, _, width = squares.shape
    parts = squares.view(batch, grid // window, window, grid // window, window, width)
    return parts.transpose(2, 3).reshape(-1, window * window, width)


def join_windows(windows: Tensor, grid: int, window: int) -> Tensor:
    """Undo `cut_windows`: (B, G, G, W)."""
    width, rows = windows.shape[-1], grid // window
    parts = windows.view(-1, rows, rows, window, window, width)
    return parts.transpose(2, 3).reshape(-1, grid, grid, width)


def relative_places(window: int) -> Tensor:
    """Return for each pair of places in a window which of the (2 window - 1)^2 distances lies between them (N, N)."""
    rows, columns = (place.flatten() for place in torch.meshgrid(*[torch.arange(window)] * 2, indexing="ij"))
    down, right = (line[:, None] - line[None, :] + window - 1 for line in (rows, columns))
    return down * (2 * window - 1) + right


def strangers(grid: int, window: int, shift: int) -> Tensor:
    """Return scores (windows, N, N): a large negative number between tokens that only the cyclic shift made neighbours.

    All 0 for a shift of 0.
    """
    line = torch.arange(grid)
    # After the shift the last window holds two regions, which met over the edge.
    region = (line >= grid - window).long() + ((line >= grid - shift) & (shift > 0)).long()
    regions = cut_windows((region[:, None] * 3 + region[None, :]).view(1, grid, grid, 1), window)
    return (regions != regions.transpose(1, 2)).float() * -1e4


class WindowBlock(nn.Module):
    """A transformer block over windows, which are moved by `shift` so that neighbouring windows hear of each other."""

    places: Tensor
    apart: Tensor

    def __init__(self, width: int, heads: int, grid: int, window: int, *, shift: int, dropout: float) -> None:
        super().__init__()
        if grid % window:
            raise ValueError(f"windows of {window} do not fill a grid of {grid}")
        self.grid, self.window, self.shift = grid, window, shift
        self.block = TransformerBlock(width, heads, dropout=dropout)
        self.distances = nn.Parameter(torch.randn((2 * window - 1) ** 2, heads) * 0.02)
        self.register_buffer("places", relative_places(window), persistent=False)
        self.register_buffer("apart", strangers(grid, window, shift), persistent=False)

    def forward(self, squares: Tensor) -> Tensor:
        """Mix squares of tokens (B, G, G, W) inside their windows."""
        bias = self.distances[self.places].permute(2, 0, 1) + self.apart[:, None]  # (windows, H, N, N)
        moved = squares.roll((-self.shift, -self.shift), (1, 2))
        windows = self.block(cut_windows(moved, self.window), bias.repeat(len(squares), 1, 1, 1))
        return join_windows(windows, self.grid, self.window).roll((self.shift, self.shift), (1, 2))


class PatchMerging(nn.Module):
    """Join each 2 x 2 tokens (B, G, G, W) to one: (B, G/2, G/2, 2 W)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.project = nn.LayerNorm(4 * width), nn.Linear(4 * width, 2 * width, bias=False)

    def forward(self, squares: Tensor) -> Tensor:
        """Merge squares of tokens (B, G, G, W)."""
        corners = [squares[:, row::2, column::2] for row in (0, 1) for column in (0, 1)]
        merged: Tensor = self.project(self.norm(torch.cat(corners, -1)))
        return merged
