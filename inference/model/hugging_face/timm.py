"""A ViT stored by timm -> its sizes, and its weights under Hugging Face's names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import torch
from torch import Tensor

from inference.manifest import CheckpointError
from inference.model.hugging_face.config import BaseConfig
from inference.model.hugging_face.files import CONFIG, WeightsFile, read_json
from inference.model.hugging_face.image import POSITIONS
from inference.model.hugging_face.layout import check_layout, timm_layout
from inference.model.hugging_face.settings import Preprocessing, read_settings

PATCHES: Final = "patch_embed.proj.weight"
INNER: Final = "blocks.0.mlp.fc1.bias"
HEADS: Final = ("head.", "head_dist.", "pre_logits.", "fc_norm.")
HEAD_WIDTH: Final = 64
"""Features a head, in every ViT of Dosovitskiy et al. 2021 with 16-pixel patches; no weight shows it."""
EPSILON: Final = 1e-6
NAMES: Final = {
    "cls_token": "embeddings.cls_token",
    "pos_embed": POSITIONS,
    "patch_embed.proj": "embeddings.patch_embeddings.projection",
    "norm": "layernorm",
    "attn.proj": "attention.output.dense",
    "mlp.fc1": "intermediate.dense",
    "mlp.fc2": "output.dense",
    "norm1": "layernorm_before",
    "norm2": "layernorm_after",
}
PARTS: Final = tuple(f"attention.attention.{part}" for part in ("query", "key", "value"))


def is_timm(file: WeightsFile) -> bool:
    """Tell timm's layout by its patch embedding."""
    return PATCHES in file.weights


def read_timm(file: WeightsFile, config: BaseConfig, wanted: str) -> tuple[BaseConfig, dict[str, Tensor]]:
    """Read a ViT whose sizes are those of its weights, since timm's config.json does not state them.

    Raises:
        CheckpointError: the weights are not those of a plain ViT with a class token; `wanted` says what to give.
    """
    weights = {name: tensor for name, tensor in file.weights.items() if not name.startswith(HEADS)}
    width = weights[PATCHES].shape[0]
    if width % HEAD_WIDTH:
        raise CheckpointError(f"{file.path} has width {width}, no multiple of {HEAD_WIDTH} a head: give {wanted}")
    scaling = read_scaling(file, wanted)
    sized = replace(
        config,
        image_width=width,
        image_depth=max(1, len({name.split(".")[1] for name in weights if name.startswith("blocks.")})),
        image_heads=width // HEAD_WIDTH,
        image_inner=weights[INNER].shape[0] if INNER in weights else 4 * width,
        image_epsilon=EPSILON,
        image_mean=scaling.image_mean,
        image_deviation=scaling.image_std,
    )
    check_layout(file.path, weights, timm_layout(sized), wanted)
    return sized, from_timm(weights)


def read_scaling(file: WeightsFile, wanted: str) -> Preprocessing:
    """Read mean and deviation of the channels from timm's config.json, where there is one."""
    path = file.path.parent / CONFIG
    stated = read_json(path).get("pretrained_cfg") if path.exists() else None
    known = stated if isinstance(stated, Mapping) else {}
    renamed = {new: known[old] for old, new in (("mean", "image_mean"), ("std", "image_std")) if old in known}
    return read_settings(path, Preprocessing, renamed, wanted)


def from_timm(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename timm's weights to Hugging Face's, and take the joint projection apart into query, key and value."""
    renamed: dict[str, Tensor] = {}
    for name, tensor in weights.items():
        stem, _, kind = name.rpartition(".") if name.endswith((".weight", ".bias")) else (name, "", "")
        layer, part = split_block(stem)
        if part == "attn.qkv":
            for joined, third in zip(PARTS, torch.chunk(tensor, 3), strict=True):
                renamed[f"{layer}{joined}.{kind}"] = third.clone()
        else:
            renamed[f"{layer}{NAMES[part]}" + (f".{kind}" if kind else "")] = tensor
    return renamed


def split_block(stem: str) -> tuple[str, str]:
    """Split `blocks.3.attn.proj` into Hugging Face's prefix of layer 3 and `attn.proj`."""
    if not stem.startswith("blocks."):
        return "", stem
    _, place, part = stem.split(".", 2)
    return f"encoder.layer.{place}.", part
