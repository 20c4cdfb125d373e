"""Tensors of a Swin transformer in the published layout -> the configuration of `transformers.SwinModel`."""

from __future__ import annotations

import re
from typing import Final

from transformers import SwinConfig

from inference.baselines.published.layout import StateFile

RENAMED: Final = (
    (r"\.attention\.q_proj\.", ".attention.self.query."),
    (r"\.attention\.k_proj\.", ".attention.self.key."),
    (r"\.attention\.v_proj\.", ".attention.self.value."),
    (r"\.attention\.o_proj\.", ".attention.output.dense."),
    (r"\.attention\.relative_position_bias\.", ".attention.self."),
    (r"\.mlp\.fc1\.", ".intermediate.dense."),
    (r"\.mlp\.fc2\.", ".output.dense."),
)
"""From the names of transformers 5 to those of transformers 4, which the published files have."""


def published_name(name: str) -> str:
    """Return a tensor's name in the published files; a name that transformers 4 had already stays as it is."""
    for pattern, replacement in RENAMED:
        name = re.sub(pattern, replacement, name)
    return name


def swin_config(file: StateFile, prefix: str, image_size: int) -> SwinConfig:
    """Read the configuration of the Swin transformer under a prefix off the shapes of its tensors."""
    width, channels, _, patch = file.shape(f"{prefix}embeddings.patch_embeddings.projection.weight", 4)
    stages = file.depth(f"{prefix}encoder.layers.")
    blocks = [f"{prefix}encoder.layers.{stage}.blocks." for stage in range(stages)]
    tables = [file.shape(f"{block}0.attention.self.relative_position_bias_table", 2) for block in blocks]
    return SwinConfig(
        image_size=image_size,
        patch_size=patch,
        num_channels=channels,
        embed_dim=width,
        depths=[file.depth(block) for block in blocks],
        num_heads=[heads for _, heads in tables],
        # A window of side w has offsets -w+1..w-1 in each direction: (2w - 1)^2 rows.
        window_size=(round(tables[0][0] ** 0.5) + 1) // 2,
    )
