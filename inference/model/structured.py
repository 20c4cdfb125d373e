"""Demographics, vital signs and laboratory values -> one token each: the dense encoder of the structured record."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from inference.model.config import ModelConfig

BUMPS = torch.linspace(-3, 3, 9)
"""Centres, in standard deviations, of the bell curves a value is spread over: a dense layer then sees bends."""


class StructuredEncoder(nn.Module):
    """Give each slot a token of its value and age, or its learned absent token."""

    bumps: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width = config.fusion_width
        self.register_buffer("bumps", BUMPS.clone(), persistent=False)
        features = len(BUMPS) + 2
        self.weight = nn.Parameter(torch.randn(config.slots, features, width) * features**-0.5)
        self.slot = nn.Parameter(torch.randn(config.slots, width) * 0.02)
        self.absent = nn.Parameter(torch.randn(config.slots, width) * 0.02)
        self.mix = nn.Sequential(nn.GELU(), nn.Linear(width, width), nn.LayerNorm(width))

    def forward(self, values: Tensor, present: Tensor, age: Tensor) -> Tensor:
        """Encode values, presence and age in days, each (B, S), into tokens (B, S, width)."""
        clamped = values.clamp(-4, 4)
        bells = torch.exp(-((clamped[..., None] - self.bumps) ** 2))  # (B, S, 9)
        features = torch.cat([clamped[..., None], bells, age.clamp(0, 4)[..., None]], -1)
        # A product and a sum instead of einsum: the exporter keeps the batch axis free this way.
        mixed = (features[..., None] * self.weight).sum(-2) + self.slot
        token: Tensor = self.mix(mixed)
        return present[..., None] * token + (1 - present[..., None]) * self.absent
