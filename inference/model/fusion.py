"""Text and structured tokens look at the image: the cross-attention transformer module (CATM) of the paper.

Every attention map can be taken out, and moved by a zero `delta`, so that its gradient is one backward pass away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from inference.model.blocks import Attention, FeedForward
from inference.model.config import ModelConfig


@dataclass(frozen=True, slots=True)
class FusionOutput:
    """Logits (B, classes); self maps (B, H, Q, Q) and cross maps (B, H, Q, P), one a block."""

    logits: Tensor
    self_maps: tuple[Tensor, ...]
    cross_maps: tuple[Tensor, ...]


@dataclass(frozen=True, slots=True)
class Deltas:
    """Zeros that are added where a gradient is wanted: queries (B, Q, D), maps as in `FusionOutput`."""

    queries: Tensor
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

    def forward(
        self, queries: Tensor, image: Tensor, bias: Tensor, deltas: tuple[Tensor | None, Tensor | None]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries (B, Q, D), the self map (B, H, Q, Q) and the cross map (B, H, Q, P)."""
        normed = self.norm_self(queries)
        seen, self_map = self.attend_self.mapped(normed, normed, bias, deltas[0])
        queries = queries + seen
        seen, cross_map = self.attend_image.mapped(self.norm_cross(queries), image, None, deltas[1])
        queries = queries + seen
        return queries + self.mlp(self.norm_mlp(queries)), self_map, cross_map


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

    def join(self, text: Tensor, structured: Tensor) -> Tensor:
        """Put text (B, N, D) and structured tokens (B, S, D) behind the question: queries (B, 1 + N + S, D)."""
        return torch.cat([self.question.expand(text.shape[0], -1, -1), text, structured], 1)

    def forward(self, queries: Tensor, image: Tensor, bias: Tensor, deltas: Deltas | None = None) -> FusionOutput:
        """Answer from queries (B, Q, D) and image memory (B, P, D); `bias` (B, 1, 1, Q) hides padding."""
        queries = queries if deltas is None else queries + deltas.queries
        self_maps, cross_maps = [], []
        for place, block in enumerate(self.blocks):
            moved = (None, None) if deltas is None else (deltas.self_maps[place], deltas.cross_maps[place])
            queries, self_map, cross_map = block(queries, image, bias, moved)
            self_maps.append(self_map)
            cross_maps.append(cross_map)
        return FusionOutput(self.head(self.norm(queries[:, 0])), tuple(self_maps), tuple(cross_maps))
