from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from inference.baselines.published.vit_pooler import Attention, PoolerSizes, VitPooler, sine_positions
from tests.inference.baselines.published import layouts
from tests.inference.baselines.published.small import filled


def test_attention_agrees_with_torch() -> None:
    """Eight heads, no bias on queries, keys and values: the same as torch's own attention."""
    torch.manual_seed(0)
    ours, other = Attention(32), nn.MultiheadAttention(32, 8, batch_first=True)
    other.in_proj_weight.data = torch.cat([ours.proj_q.weight, ours.proj_k.weight, ours.proj_v.weight])
    other.in_proj_bias.data.zero_()
    other.out_proj.load_state_dict(ours.proj.state_dict())
    tokens = torch.randn(2, 5, 32)

    expected, _ = other(tokens, tokens, tokens)

    assert torch.allclose(expected, ours(tokens), atol=1e-6)


@pytest.mark.parametrize(
    ("row", "column", "channel", "value"),
    [
        (0, 3, 0, math.sin(2 * math.pi / 14)),  # down the film, shortest wave
        (0, 3, 1, math.cos(2 * math.pi / 14)),
        (13, 0, 0, math.sin(2 * math.pi)),
        (4, 6, 2, math.sin(5 * 2 * math.pi / 14 / 10000 ** (2 / 16))),
        (4, 6, 16, math.sin(7 * 2 * math.pi / 14)),  # across, shortest wave
        (4, 6, 31, math.cos(7 * 2 * math.pi / 14 / 10000 ** (14 / 16))),
    ],
)
def test_positions_are_normalised_sines(row: int, column: int, channel: int, value: float) -> None:
    """First half of the channels tells the row, second half the column; place k of 14 has the angle 2 pi k / 14."""
    assert sine_positions(14, 32)[row * 14 + column, channel].item() == pytest.approx(value, abs=1e-5)


@torch.inference_mode()
def test_pooler_agrees_with_its_formula_in_torch_operations() -> None:
    """Places and film are added before every attention, to the values as well; the current film's patches are kept."""
    state = filled(layouts.vit_pooler(32, 1))
    pooler = VitPooler(PoolerSizes(32, 1)).eval()
    pooler.load_state_dict(state)
    current, previous = torch.randn(2, 1, 32, 14, 14, generator=torch.Generator().manual_seed(2))
    tokens = torch.cat([current.flatten(2).mT, previous.flatten(2).mT], 1)
    where = sine_positions(14, 32)
    places = torch.cat([where + state["type_embed"][0], where + state["type_embed"][1]])

    def norm(name: str, values: torch.Tensor) -> torch.Tensor:
        return nn.functional.layer_norm(values, (32,), state[f"{name}.weight"], state[f"{name}.bias"], 1e-6)

    def linear(name: str, values: torch.Tensor) -> torch.Tensor:
        return values @ state[f"{name}.weight"].T + state.get(f"{name}.bias", torch.zeros(32))

    seen = norm("blocks.0.norm1", tokens) + places
    q, k, v = (linear(f"blocks.0.attn.proj_{part}", seen).view(392, 8, 4).transpose(0, 1) for part in "qkv")
    mixed = ((q @ k.mT / 2).softmax(-1) @ v).transpose(0, 1).reshape(1, 392, 32)
    tokens = tokens + linear("blocks.0.attn.proj", mixed)
    inner = nn.functional.gelu(linear("blocks.0.mlp.fc1", norm("blocks.0.norm2", tokens)))
    tokens = norm("norm_post", tokens + linear("blocks.0.mlp.fc2", inner))

    assert torch.allclose(tokens[:, :196].mT.reshape(1, 32, 14, 14), pooler(current, previous), atol=1e-4)
