"""Two maps of patches, now and before -> what changed: the transformer of BioViL-T; for inference only."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everyone gives it

HEADS: Final = 8
GRID: Final = 14
"""Patches a side that the transformer was trained on: films of 448 pixels."""
EPSILON: Final = 1e-6
LONGEST_WAVE: Final = 10000


def sine_positions(grid: int, width: int) -> Tensor:
    """Return the fixed position code (grid * grid, width), row by row: first half down the film, second half across.

    Places run from 2 pi / grid to 2 pi; each half alternates sine and cosine over ever longer waves.
    """
    half = width // 2
    places = torch.arange(1, grid + 1) / (grid + EPSILON) * 2 * math.pi
    waves = LONGEST_WAVE ** (torch.arange(0, half, 2) / half)
    angles = places[:, None] / waves  # (grid, half / 2)
    code = torch.stack([angles.sin(), angles.cos()], -1).flatten(1)  # (grid, half)
    down = code[:, None].expand(grid, grid, half)
    across = code[None].expand(grid, grid, half)
    return torch.cat([down, across], -1).flatten(0, 1)


class Attention(nn.Module):
    """Multi-head self-attention with separate projections, of which only the last has a bias."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj_q = nn.Linear(width, width, bias=False)
        self.proj_k = nn.Linear(width, width, bias=False)
        self.proj_v = nn.Linear(width, width, bias=False)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Mix tokens (B, N, D)."""
        query, key, value = (
            part(tokens).unflatten(-1, (HEADS, -1)).transpose(1, 2) for part in (self.proj_q, self.proj_k, self.proj_v)
        )
        mixed = F.scaled_dot_product_attention(query, key, value)
        joined: Tensor = self.proj(mixed.transpose(1, 2).flatten(2))
        return joined


class Mlp(nn.Module):
    """Two layers of one width."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens (B, N, D)."""
        mapped: Tensor = self.fc2(F.gelu(self.fc1(tokens)))
        return mapped


class Block(nn.Module):
    """Pre-norm block that is told again in every layer where and when each patch is."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, EPSILON), nn.LayerNorm(width, EPSILON)
        self.attn, self.mlp = Attention(width), Mlp(width)

    def forward(self, tokens: Tensor, places: Tensor) -> Tensor:
        """Mix tokens (B, N, D), which stand at places (N, D)."""
        # The authors add the places to the values too, unlike DETR, which they follow otherwise.
        tokens = tokens + self.attn(self.norm1(tokens) + places)
        mixed: Tensor = tokens + self.mlp(self.norm2(tokens))
        return mixed


@dataclass(frozen=True, slots=True)
class PoolerSizes:
    """Width of the patches and number of blocks."""

    width: int
    depth: int


class VitPooler(nn.Module):
    """Self-attention over the patches of both films, of which those of the current one are kept."""

    def __init__(self, sizes: PoolerSizes) -> None:
        super().__init__()
        self.type_embed = nn.Parameter(torch.zeros(2, 1, sizes.width))
        self.blocks = nn.ModuleList(Block(sizes.width) for _ in range(sizes.depth))
        self.norm_post = nn.LayerNorm(sizes.width, EPSILON)
        self.register_buffer("positions", sine_positions(GRID, sizes.width), persistent=False)

    def forward(self, current: Tensor, previous: Tensor) -> Tensor:
        """Compare maps (B, D, 14, 14) and return the current one as the other changes it, same shape."""
        tokens = torch.cat([current.flatten(2), previous.flatten(2)], 2).transpose(1, 2)
        places = (self.type_embed + self.get_buffer("positions")).flatten(0, 1)  # (2 * 14 * 14, D)
        for block in self.blocks:
            tokens = block(tokens, places)
        kept: Tensor = self.norm_post(tokens)[:, : current[0, 0].numel()]
        return kept.transpose(1, 2).reshape(current.shape)
