"""Radiograph -> image tokens: a Vision Transformer on a convolutional stem."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from inference.model.blocks import TransformerBlock
from inference.model.config import ModelConfig
from inference.model.stem import STEM_WIDTH, ConvolutionalStem


class ImageEncoder(nn.Module):
    """Vision Transformer over one grey radiograph, without a class token: the fusion reads the patches."""

    stem_width = STEM_WIDTH

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        if config.patch != 16:
            raise ValueError("the convolutional stem halves four times: the patch must be 16 pixels")
        width = config.image_width
        self.stem = ConvolutionalStem()
        self.project, self.norm_in = nn.Linear(STEM_WIDTH, width), nn.LayerNorm(width)
        self.position = nn.Parameter(torch.randn(1, (config.image_size // config.patch) ** 2, width) * 0.02)
        self.blocks = nn.ModuleList(
            TransformerBlock(width, config.image_heads, dropout=config.dropout) for _ in range(config.image_depth)
        )
        self.norm = nn.LayerNorm(width)

    def stem_map(self, image: Tensor) -> Tensor:
        """Run the convolutional stem: images (B, 1, S, S) in 0..1 to a map (B, `stem_width`, S/16, S/16)."""
        features: Tensor = self.stem(image)
        return features

    def from_map(self, features: Tensor) -> Tensor:
        """Run the transformer: a map (B, `stem_width`, G, G) to tokens (B, P, width), row by row from the top left."""
        tokens = self.norm_in(self.project(features.flatten(2).transpose(1, 2))) + self.position
        for block in self.blocks:
            tokens = block(tokens)
        encoded: Tensor = self.norm(tokens)
        return encoded

    def look(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Encode images (B, 1, S, S): tokens (B, P, width), and the feature (B, F) that the scope gate reads.

        The feature is mean and deviation of each channel of the map over the film: the tokens have learnt the question,
        the map still shows what kind of picture it is.
        """
        features = self.stem_map(image)
        places = features.flatten(2)
        deviation = (places.var(-1, unbiased=False) + 1e-6).sqrt()
        return self.from_map(features), torch.cat([places.mean(-1), deviation], -1)

    def forward(self, image: Tensor) -> Tensor:
        """Encode images (B, 1, S, S) in 0..1 into patch tokens (B, P, width)."""
        return self.from_map(self.stem_map(image))
