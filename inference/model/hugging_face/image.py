"""Radiograph -> image tokens, by the Vision Transformer of `transformers`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor, nn
from transformers import ViTConfig, ViTModel

from inference.model.hugging_face.config import BaseConfig

POSITIONS: Final = "embeddings.position_embeddings"
MODULE_NAMES: Final = (
    ("encoder.layer.", "layers."),
    ("attention.attention.query.", "attention.q_proj."),
    ("attention.attention.key.", "attention.k_proj."),
    ("attention.attention.value.", "attention.v_proj."),
    ("attention.output.dense.", "attention.o_proj."),
    ("intermediate.dense.", "mlp.fc1."),
    ("output.dense.", "mlp.fc2."),
)
"""What files call a weight, and what transformers 5 calls it; applied in this order."""


def resample_positions(table: Tensor, side: int) -> Tensor:
    """Stretch a position table (1, 1 + g^2, D), class token first, to a grid of side^2 patches, as transformers does.

    Raises:
        ValueError: the patches of the table are no square.
    """
    grid = math.isqrt(table.shape[1] - 1)
    if grid == 0 or grid * grid != table.shape[1] - 1:
        raise ValueError(f"{table.shape[1]} positions are not a class token and a square of patches")
    if grid == side:
        return table
    square = table[:, 1:].reshape(1, grid, grid, -1).permute(0, 3, 1, 2)
    stretched = nn.functional.interpolate(square, size=(side, side), mode="bicubic", align_corners=False)
    return torch.cat([table[:, :1], stretched.permute(0, 2, 3, 1).flatten(1, 2)], 1)


class HuggingFaceImageEncoder(nn.Module):
    """ViT over one grey radiograph repeated in three channels; its class token is not handed on.

    The position table has the size of the contract's image from the start, so that nothing is stretched in a graph.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: BaseConfig) -> None:
        super().__init__()
        self.config = config
        shape = ViTConfig(
            hidden_size=config.image_width,
            num_hidden_layers=config.image_depth,
            num_attention_heads=config.image_heads,
            intermediate_size=config.image_inner,
            layer_norm_eps=config.image_epsilon,
            image_size=config.image_size,
            patch_size=config.patch,
        )
        self.vit = ViTModel(shape, add_pooling_layer=False)
        self.register_buffer("mean", torch.tensor(config.image_mean).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(config.image_deviation).view(1, -1, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """Encode images (B, 1, S, S) in 0..1 into patch tokens (B, P, width), row by row from the top left."""
        states: Tensor = self.vit((image - self.mean) / self.deviation).last_hidden_state
        return states[:, 1:]

    def place(self, weights: Mapping[str, Tensor]) -> None:
        """Take over weights that passed `layout.vit_layout`; positions are stretched to this encoder's grid."""
        side = self.config.image_size // self.config.patch
        placed = {module_name(name): tensor for name, tensor in weights.items()}
        self.vit.load_state_dict(placed | {POSITIONS: resample_positions(weights[POSITIONS], side)})


def module_name(name: str) -> str:
    """Return what transformers calls a weight that files call `name`."""
    for stored, used in MODULE_NAMES:
        name = name.replace(stored, used)
    return name
