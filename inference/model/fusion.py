"""Text and structured tokens look at the image: the cross-attention transformer module (CATM) of the paper.

Every attention map can be taken out, and moved by a zero `delta`, so that its gradient is one backward pass away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from inference.model.blocks import Attention, FeedForward
from inference.model.config import ModelConfig


@dataclass(frozen=True, slots=True)
class FusionOutput:
    """Logits (B, classes); self maps (B, H, R, Q) and cross maps (B, H, R, P), one a block.

    R is Q in all blocks but the last, where it is 1: of the last block only the question is read.
    """

    logits: Tensor
    self_maps: tuple[Tensor, ...]
    cross_maps: tuple[Tensor, ...]


@dataclass(frozen=True, slots=True)
class Deltas:
    """Zeros that are added where a gradient is wanted: maps as in `FusionOutput`."""

    self_maps: Sequence[Tensor]
    cross_maps: Sequence[Tensor]


class FusionBlock(nn.Module):
    """Self-attention among the queries, cross-attention to the image, perceptron; all pre-norm."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width, heads = config.fusion_width, config.fusion_heads
        self.norm_self, self.norm_cross, self.norm_mlp = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)
        self.attend_self, self.attend_image = Attention(width, heads), Attention(width, heads)
        self.mlp = FeedForward(width, 4, config.dropout)

    def mix(
        self, queries: Tensor, bias: Tensor, delta: Tensor | None = None, *, rows: int | None = None
    ) -> tuple[Tensor, Tensor]:
        """Let the first `rows` of queries (B, Q, D), or all, attend to all: (B, R, D) and the map (B, H, R, Q)."""
        normed = self.norm_self(queries)
        attend = self.attend_self.asked if rows == 1 else self.attend_self.mapped
        seen, self_map = attend(normed[:, :rows], normed, bias, delta)
        return queries[:, :rows] + seen, self_map

    def look(
        self, queries: Tensor, image: Tensor, delta: Tensor | None = None, *, rows: int | None = None
    ) -> tuple[Tensor, Tensor]:
        """Let queries (B, R, D) attend to the image (B, P, D): (B, R, D) and the map (B, H, R, P)."""
        attend = self.attend_image.asked if rows == 1 else self.attend_image.mapped
        seen, cross_map = attend(self.norm_cross(queries), image, None, delta)
        return queries + seen, cross_map

    def look_at_nothing(self, queries: Tensor, absent: Tensor) -> Tensor:
        """Do what `look` does where every patch is the same token (1, 1, D): its value, whatever the attention."""
        seen: Tensor = self.attend_image.out(self.attend_image.value(absent))
        return queries + seen

    def think(self, queries: Tensor) -> Tensor:
        """Pass queries (B, R, D) through the perceptron."""
        passed: Tensor = queries + self.mlp(self.norm_mlp(queries))
        return passed

    def forward(
        self,
        queries: Tensor,
        image: Tensor,
        bias: Tensor,
        deltas: tuple[Tensor | None, Tensor | None],
        *,
        rows: int | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries (B, R, D), the self map (B, H, R, Q) and the cross map (B, H, R, P).

        `rows` is how many of the queries are wanted, the first R; None for all.
        """
        queries, self_map = self.mix(queries, bias, deltas[0], rows=rows)
        queries, cross_map = self.look(queries, image, deltas[1], rows=rows)
        return self.think(queries), self_map, cross_map


class CrossAttentionFusion(nn.Module):
    """Queries are [question, note, measurements]; keys and values are the image patches."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width = config.fusion_width
        self.heads = config.fusion_heads
        self.question = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.absent_text = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.absent_image = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.from_text = nn.Sequential(nn.Linear(config.text_width, width), nn.LayerNorm(width))
        self.from_image = nn.Sequential(nn.Linear(config.image_width, width), nn.LayerNorm(width))
        self.blocks = nn.ModuleList(FusionBlock(config) for _ in range(config.fusion_depth))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, config.classes)

    def in_order(self) -> list[FusionBlock]:
        """Return the blocks, first to last."""
        return cast("list[FusionBlock]", list(self.blocks))

    def join(self, text: Tensor, structured: Tensor) -> Tensor:
        """Put text (B, N, D) and structured tokens (B, S, D) behind the question: queries (B, 1 + N + S, D)."""
        return torch.cat([self.question.expand(text.shape[0], -1, -1), text, structured], 1)

    def forward(self, queries: Tensor, image: Tensor, bias: Tensor, deltas: Deltas | None = None) -> FusionOutput:
        """Answer from queries (B, Q, D) and image memory (B, P, D); `bias` (B, 1, 1, Q) hides padding."""
        self_maps, cross_maps = [], []
        for place, block in enumerate(self.in_order()):
            moved = (None, None) if deltas is None else (deltas.self_maps[place], deltas.cross_maps[place])
            wanted = 1 if place == len(self.blocks) - 1 else None
            queries, self_map, cross_map = block(queries, image, bias, moved, rows=wanted)
            self_maps.append(self_map)
            cross_maps.append(cross_map)
        return FusionOutput(self.read(queries), tuple(self_maps), tuple(cross_maps))

    def read(self, queries: Tensor) -> Tensor:
        """Read the logits (B, classes) off the question, the first of queries (B, R, D)."""
        logits: Tensor = self.head(self.norm(queries[:, 0]))
        return logits
