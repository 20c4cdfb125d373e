"""Radiograph -> image tokens: a Vision Transformer with a convolutional patch embedding."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from inference.model.blocks import TransformerBlock
from inference.model.config import ModelConfig


class ConvolutionalPatches(nn.Module):
    """Patch embedding by four strided 3 x 3 convolutions instead of one 16 x 16 cut.

    Small transformers learn from a few thousand films this way, where the plain cut needs millions.
    LayerNorm over channels, not BatchNorm: a batch of one gives the same tokens, and differential privacy stays valid.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        channels = [1, width // 8, width // 4, width // 2, width]
        self.stages = nn.ModuleList(
            nn.Conv2d(before, after, 3, stride=2, padding=1) for before, after in itertools.pairwise(channels)
        )
        self.norms = nn.ModuleList(nn.GroupNorm(1, after) for after in channels[1:])
        self.project = nn.Conv2d(width, width, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Turn grey images (B, 1, S, S) into tokens (B, (S/16)^2, width)."""
        for stage, norm in zip(self.stages, self.norms, strict=True):
            image = nn.functional.gelu(norm(stage(image)))
        tokens: Tensor = self.project(image).flatten(2).transpose(1, 2)
        return tokens


class ImageEncoder(nn.Module):
    """Vision Transformer over one grey radiograph, without a class token: the fusion reads the patches."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        if config.patch != 16:
            raise ValueError("the convolutional stem halves four times: the patch must be 16 pixels")
        width = config.image_width
        self.patches = ConvolutionalPatches(width)
        self.position = nn.Parameter(torch.randn(1, (config.image_size // config.patch) ** 2, width) * 0.02)
        self.blocks = nn.ModuleList(
            TransformerBlock(width, config.image_heads, dropout=config.dropout) for _ in range(config.image_depth)
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, image: Tensor) -> Tensor:
        """Encode images (B, 1, S, S) in 0..1 into patch tokens (B, P, width)."""
        # 0.48 and 0.24: mean and deviation of the paediatric training films, rounded.
        tokens = self.patches((image - 0.48) / 0.24) + self.position
        for block in self.blocks:
            tokens = block(tokens)
        encoded: Tensor = self.norm(tokens)
        return encoded
