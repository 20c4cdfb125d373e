from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn.functional import conv2d, gelu, layer_norm, linear

from inference.contract import GRID, IMAGE_SIZE, PATCH
from inference.manifest import CheckpointError
from inference.model.pretrained import load_image_encoder
from tests.inference.model.hugging_face.sources import DEPTH, HEADS, WIDTH, change_weights, save_timm, save_vit


def normalise(states: Tensor, weights: dict[str, Tensor], name: str) -> Tensor:
    return layer_norm(states, (WIDTH,), weights[f"{name}.weight"], weights[f"{name}.bias"], 1e-6)


def apply(states: Tensor, weights: dict[str, Tensor], name: str) -> Tensor:
    return linear(states, weights[f"{name}.weight"], weights[f"{name}.bias"])


def run_timm(weights: dict[str, Tensor], pixels: Tensor) -> Tensor:
    """Run a ViT as timm does: one projection, reshaped to (batch, tokens, 3, heads, features of a head)."""
    cut = conv2d(pixels, weights["patch_embed.proj.weight"], weights["patch_embed.proj.bias"], stride=PATCH)
    patches = cut.flatten(2).transpose(1, 2)
    states = torch.cat([weights["cls_token"].expand(len(pixels), -1, -1), patches], 1) + weights["pos_embed"]
    for block in (f"blocks.{place}" for place in range(DEPTH)):
        joint = apply(normalise(states, weights, f"{block}.norm1"), weights, f"{block}.attn.qkv")
        query, key, value = joint.unflatten(-1, (3, HEADS, WIDTH // HEADS)).permute(2, 0, 3, 1, 4)  # type: ignore[no-untyped-call]
        attention = (query @ key.transpose(-1, -2) * (WIDTH // HEADS) ** -0.5).softmax(-1)
        states = states + apply((attention @ value).transpose(1, 2).flatten(2), weights, f"{block}.attn.proj")
        inner = gelu(apply(normalise(states, weights, f"{block}.norm2"), weights, f"{block}.mlp.fc1"))
        states = states + apply(inner, weights, f"{block}.mlp.fc2")
    return normalise(states, weights, "norm")[:, 1:]


@torch.no_grad()
def test_tokens_are_those_of_timm_s_own_arithmetic(tmp_path: Path) -> None:
    """The joint projection is taken apart so that timm's way through the same weights gives the same tokens."""
    save_vit(tmp_path, image_size=GRID * PATCH)
    save_timm(tmp_path)
    image = torch.rand(2, 1, IMAGE_SIZE, IMAGE_SIZE)
    scale = (torch.tensor([0.4, 0.5, 0.6]).view(3, 1, 1), torch.tensor([0.2, 0.25, 0.3]).view(3, 1, 1))

    expected = run_timm(load_file(tmp_path / "model.safetensors"), (image - scale[0]) / scale[1])

    torch.testing.assert_close(load_image_encoder(tmp_path)(image), expected, atol=1e-4, rtol=1e-3)


def test_both_layouts_of_one_model_give_one_encoder(tmp_path: Path) -> None:
    """A ViT converted to timm's layout loads to the very weights of its Hugging Face layout."""
    save_vit(tmp_path)
    expected = load_image_encoder(tmp_path).state_dict()
    save_timm(tmp_path, **{"head.weight": torch.rand(3, WIDTH), "head.bias": torch.rand(3)})

    found = load_image_encoder(tmp_path).state_dict()

    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"blocks.1.attn.qkv.bias": None}, r"lacks blocks\.1\.attn\.qkv\.bias"),
        ({"blocks.0.ls1.gamma": torch.ones(WIDTH)}, r"unknown weights blocks\.0\.ls1\.gamma"),
        ({"patch_embed.proj.weight": torch.rand(WIDTH, 3, 14, 14)}, "128 x 3 x 14 x 14 where 128 x 3 x 16 x 16"),
        ({"patch_embed.proj.weight": torch.rand(WIDTH, 1, 16, 16)}, r"patch_embed\.proj\.weight of shape 128 x 1"),
        ({"patch_embed.proj.weight": torch.rand(100, 3, 16, 16)}, "width 100"),
        ({"pos_embed": torch.rand(1, GRID * GRID, WIDTH)}, "position table"),
    ],
)
def test_another_vit_of_timm_is_refused(tmp_path: Path, changes: dict[str, Tensor | None], said: str) -> None:
    """What is not a plain ViT of 16-pixel patches is named by file and weight, with a model that would do."""
    save_vit(tmp_path)
    save_timm(tmp_path)
    change_weights(tmp_path, changes)

    with pytest.raises(CheckpointError, match=rf"model\.safetensors .*{said}.*[gG]ive a Vision Transformer"):
        load_image_encoder(tmp_path)
