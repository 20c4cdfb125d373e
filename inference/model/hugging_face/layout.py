"""Names and shapes of the weights a file must hold: ViT and BERT as Hugging Face stores them, ViT as timm does.

These are the names in files. The modules of `transformers` may call the same weights otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from torch import Tensor

from inference.manifest import CheckpointError
from inference.model.hugging_face.config import BaseConfig

Layout = dict[str, tuple[int | None, ...]]
"""Shape of each weight; None is an axis of any length."""
CHANNELS: Final = 3
NAMED: Final = 3
"""So many weights are named in one message."""


def dense(name: str, inside: int, outside: int) -> Layout:
    """Return the weights of a dense layer from `inside` to `outside` features."""
    return {f"{name}.weight": (outside, inside), f"{name}.bias": (outside,)}


def norm(name: str, width: int) -> Layout:
    """Return the weights of a layer norm."""
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def vit_layout(config: BaseConfig) -> Layout:
    """Return what a ViT in the Hugging Face layout holds, without its prefix and its heads."""
    width, inner = config.image_width, config.image_inner
    found: Layout = {
        "embeddings.cls_token": (1, 1, width),
        "embeddings.position_embeddings": (1, None, width),
        "embeddings.patch_embeddings.projection.weight": (width, CHANNELS, config.patch, config.patch),
        "embeddings.patch_embeddings.projection.bias": (width,),
        **norm("layernorm", width),
    }
    for place in range(config.image_depth):
        layer = f"encoder.layer.{place}"
        for part in ("attention.attention.query", "attention.attention.key", "attention.attention.value"):
            found |= dense(f"{layer}.{part}", width, width)
        found |= dense(f"{layer}.attention.output.dense", width, width)
        found |= dense(f"{layer}.intermediate.dense", width, inner) | dense(f"{layer}.output.dense", inner, width)
        found |= norm(f"{layer}.layernorm_before", width) | norm(f"{layer}.layernorm_after", width)
    return found


def timm_layout(config: BaseConfig) -> Layout:
    """Return what a ViT in timm's layout holds, without its heads."""
    width, inner = config.image_width, config.image_inner
    found: Layout = {
        "cls_token": (1, 1, width),
        "pos_embed": (1, None, width),
        "patch_embed.proj.weight": (width, CHANNELS, config.patch, config.patch),
        "patch_embed.proj.bias": (width,),
        **norm("norm", width),
    }
    for place in range(config.image_depth):
        block = f"blocks.{place}"
        found |= dense(f"{block}.attn.qkv", width, 3 * width) | dense(f"{block}.attn.proj", width, width)
        found |= dense(f"{block}.mlp.fc1", width, inner) | dense(f"{block}.mlp.fc2", inner, width)
        found |= norm(f"{block}.norm1", width) | norm(f"{block}.norm2", width)
    return found


def bert_layout(config: BaseConfig) -> Layout:
    """Return what a BERT in the Hugging Face layout holds, without its prefix and its heads."""
    width, inner = config.text_width, config.text_inner
    found: Layout = {
        "embeddings.word_embeddings.weight": (config.vocabulary, width),
        "embeddings.position_embeddings.weight": (None, width),
        "embeddings.token_type_embeddings.weight": (None, width),
        **norm("embeddings.LayerNorm", width),
    }
    for place in range(config.text_depth):
        layer = f"encoder.layer.{place}"
        for part in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            found |= dense(f"{layer}.{part}", width, width)
        found |= dense(f"{layer}.intermediate.dense", width, inner) | dense(f"{layer}.output.dense", inner, width)
        found |= norm(f"{layer}.attention.output.LayerNorm", width) | norm(f"{layer}.output.LayerNorm", width)
    return found


def without_heads(weights: Mapping[str, Tensor], prefix: str, heads: Sequence[str]) -> dict[str, Tensor]:
    """Take off the prefix of an encoder inside a larger model, and leave out the heads and unused parts around it."""
    bare = {name.removeprefix(prefix): tensor for name, tensor in weights.items()}
    return {name: tensor for name, tensor in bare.items() if not name.startswith(tuple(heads))}


def check_layout(path: Path, weights: Mapping[str, Tensor], layout: Layout, wanted: str) -> None:
    """Hold the weights of a file against a layout; `wanted` says what to give instead.

    Raises:
        CheckpointError: a weight is missing, unknown or of another shape.
    """
    missing = [name for name in layout if name not in weights]
    unknown = [name for name in weights if name not in layout]
    for fault, names in (("lacks", missing), ("has unknown weights", unknown)):
        if names:
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            raise CheckpointError(f"{path} {fault} {', '.join(names[:NAMED])}{more}: give {wanted}")
    for name, shape in layout.items():
        check_shape(path, name, tuple(weights[name].shape), shape, wanted)


def check_shape(path: Path, name: str, found: tuple[int, ...], shape: tuple[int | None, ...], wanted: str) -> None:
    """Refuse a weight whose shape is another than its file's settings say."""
    if len(found) != len(shape) or any(want not in (None, has) for has, want in zip(found, shape, strict=True)):
        said = " x ".join("any" if want is None else str(want) for want in shape)
        raise CheckpointError(
            f"{path} has {name} of shape {' x '.join(map(str, found))} where {said} is needed: give {wanted}"
        )
