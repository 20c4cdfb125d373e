"""Tiny ViTs and BERTs with random weights, written as their libraries write the published ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import BertConfig, BertModel, PreTrainedModel, ViTConfig, ViTModel

from inference.contract import IMAGE_SIZE, PATCH, TEXT_TOKENS

WIDTH, HEADS, DEPTH = 128, 2, 2
VOCABULARY = 60
SIZES: dict[str, Any] = {
    "hidden_size": WIDTH,
    "num_hidden_layers": DEPTH,
    "num_attention_heads": HEADS,
    "intermediate_size": 96,
}


def stir(model: Any) -> Any:
    """Move every weight, norms and biases too, so that a weight in the wrong place shows."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model.eval()


def vit_config(**changes: Any) -> ViTConfig:
    """A ViT for images two patches larger than the contract's, so that its position table must be stretched."""
    return ViTConfig(**(SIZES | {"image_size": IMAGE_SIZE + 2 * PATCH, "patch_size": PATCH} | changes))


def bert_config(**changes: Any) -> BertConfig:
    """A BERT that knows a few more positions than a note has."""
    return BertConfig(**(SIZES | {"vocab_size": VOCABULARY, "max_position_embeddings": TEXT_TOKENS + 20} | changes))


def save_vit(folder: Path, kind: type[PreTrainedModel] = ViTModel, **changes: Any) -> Any:
    """Write a ViT, alone or under a head, and return it."""
    model = stir(kind(vit_config(**changes)))
    model.save_pretrained(folder)
    return model


def save_bert(folder: Path, kind: type[PreTrainedModel] = BertModel, **changes: Any) -> Any:
    """Write a BERT, alone or under a head, and return it."""
    model = stir(kind(bert_config(**changes)))
    model.save_pretrained(folder)
    return model


def change_weights(folder: Path, changes: dict[str, Tensor | None]) -> None:
    """Replace weights of a folder; None takes one away."""
    path = folder / "model.safetensors"
    weights: dict[str, Tensor | None] = {**load_file(path), **changes}
    save_file({name: one.contiguous() for name, one in weights.items() if one is not None}, path)


def change_json(path: Path, **changes: Any) -> None:
    """Set fields of a JSON file, made where it does not exist."""
    stated = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(stated | changes))


def to_timm(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Write down the weights of a Hugging Face ViT as timm names them, query, key and value in one."""
    pairs = {
        "embeddings.cls_token": "cls_token",
        "embeddings.position_embeddings": "pos_embed",
        "embeddings.patch_embeddings.projection": "patch_embed.proj",
        "encoder.layer": "blocks",
        "attention.output.dense": "attn.proj",
        "intermediate.dense": "mlp.fc1",
        "output.dense": "mlp.fc2",
        "layernorm_before": "norm1",
        "layernorm_after": "norm2",
        "layernorm": "norm",
    }
    made = {}
    for name, tensor in weights.items():
        renamed = name
        for ours, theirs in pairs.items():
            renamed = renamed.replace(ours, theirs)
        if not renamed.startswith("pooler"):
            made[renamed] = tensor
    for place in range(DEPTH):
        for kind in ("weight", "bias"):
            parts = [
                made.pop(f"blocks.{place}.attention.attention.{part}.{kind}") for part in ("query", "key", "value")
            ]
            made[f"blocks.{place}.attn.qkv.{kind}"] = torch.cat(parts)
    return made


def save_timm(folder: Path, **extra: Tensor) -> None:
    """Turn the Hugging Face ViT of a folder into timm's layout, its config.json included."""
    weights = to_timm(load_file(folder / "model.safetensors"))
    save_file({name: one.contiguous() for name, one in (weights | extra).items()}, folder / "model.safetensors")
    stated = {"architecture": "vit_tiny", "pretrained_cfg": {"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.25, 0.3]}}
    (folder / "config.json").write_text(json.dumps(stated))
