"""Sizes of a CLIP -> the model, its tensors named as in OpenAI's files; for inference only."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everyone gives it

from inference.baselines.published.layout import HEAD_WIDTH


@dataclass(frozen=True, slots=True)
class ClipSizes:
    """Everything that makes one CLIP differ from another; pixels, widths and counts.

    Attributes:
        embed: width of the space that image and text share.
        context: tokens of a text.
    """

    embed: int
    resolution: int
    patch: int
    vision_width: int
    vision_layers: int
    context: int
    vocabulary: int
    text_width: int
    text_layers: int


class QuickGelu(nn.Module):
    """The activation CLIP was trained with, x * sigmoid(1.702 x): near GELU, but not it."""

    def forward(self, values: Tensor) -> Tensor:
        """Apply it to each value."""
        return values * torch.sigmoid(1.702 * values)


class Attention(nn.Module):
    """Self-attention with queries, keys and values in one matrix, `in_proj_weight` (3D, D)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.in_proj_weight = nn.Parameter(torch.zeros(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor, *, causal: bool) -> Tensor:
        """Mix tokens (B, N, D); where causal, a token sees itself and those before it."""
        parts = F.linear(tokens, self.in_proj_weight, self.in_proj_bias)
        heads = parts.view(*tokens.shape[:2], 3, -1, HEAD_WIDTH)
        query, key, value = heads.permute(2, 0, 3, 1, 4)  # each (B, H, N, D/H)
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=causal)
        joined: Tensor = self.out_proj(mixed.transpose(1, 2).flatten(2))
        return joined


class Block(nn.Module):
    """Pre-norm transformer block, tokens (B, N, D) to (B, N, D)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attn, self.ln_1, self.ln_2 = Attention(width), nn.LayerNorm(width), nn.LayerNorm(width)
        parts = {"c_fc": nn.Linear(width, 4 * width), "gelu": QuickGelu(), "c_proj": nn.Linear(4 * width, width)}
        self.mlp = nn.Sequential(OrderedDict(parts))

    def forward(self, tokens: Tensor, *, causal: bool) -> Tensor:
        """Mix tokens (B, N, D)."""
        tokens = tokens + self.attn(self.ln_1(tokens), causal=causal)
        mixed: Tensor = tokens + self.mlp(self.ln_2(tokens))
        return mixed


class Transformer(nn.Module):
    """A stack of blocks."""

    def __init__(self, width: int, layers: int, *, causal: bool) -> None:
        super().__init__()
        self.causal = causal
        self.resblocks = nn.ModuleList(Block(width) for _ in range(layers))

    def forward(self, tokens: Tensor) -> Tensor:
        """Mix tokens (B, N, D)."""
        for block in self.resblocks:
            tokens = block(tokens, causal=self.causal)
        return tokens


class Visual(nn.Module):
    """CLIP's Vision Transformer."""

    def __init__(self, sizes: ClipSizes) -> None:
        super().__init__()
        width, patches = sizes.vision_width, (sizes.resolution // sizes.patch) ** 2
        self.conv1 = nn.Conv2d(3, width, sizes.patch, sizes.patch, bias=False)
        self.class_embedding = nn.Parameter(torch.zeros(width))
        self.positional_embedding = nn.Parameter(torch.zeros(patches + 1, width))
        self.ln_pre, self.ln_post = nn.LayerNorm(width), nn.LayerNorm(width)
        self.transformer = Transformer(width, sizes.vision_layers, causal=False)
        self.proj = nn.Parameter(torch.zeros(width, sizes.embed))

    def forward(self, images: Tensor) -> Tensor:
        """Encode images (B, 3, R, R) to (B, E), read from the class token."""
        patches = self.conv1(images).flatten(2).transpose(1, 2)
        first = self.class_embedding.expand(len(images), 1, -1)
        tokens = self.ln_pre(torch.cat([first, patches], 1) + self.positional_embedding)
        encoded: Tensor = self.ln_post(self.transformer(tokens)[:, 0]) @ self.proj
        return encoded


class Clip(nn.Module):
    """Image and text encoder that meet in one space of width E."""

    def __init__(self, sizes: ClipSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.visual = Visual(sizes)
        self.transformer = Transformer(sizes.text_width, sizes.text_layers, causal=True)
        self.token_embedding = nn.Embedding(sizes.vocabulary, sizes.text_width)
        self.positional_embedding = nn.Parameter(torch.zeros(sizes.context, sizes.text_width))
        self.ln_final = nn.LayerNorm(sizes.text_width)
        self.text_projection = nn.Parameter(torch.zeros(sizes.text_width, sizes.embed))
        self.logit_scale = nn.Parameter(torch.tensor(1 / 0.07).log())

    def encode_image(self, images: Tensor) -> Tensor:
        """Encode images (B, 3, R, R) to vectors (B, E) of length 1."""
        return F.normalize(self.visual(images), dim=-1)

    def encode_text(self, tokens: Tensor) -> Tensor:
        """Encode token ids (B, context) to vectors (B, E) of length 1.

        The text is read at its end token, which has the highest id of the vocabulary; no token before it sees what
        comes after, so it does not matter what the rest is padded with.
        """
        states = self.ln_final(self.transformer(self.token_embedding(tokens) + self.positional_embedding))
        ends = states[torch.arange(len(tokens), device=tokens.device), tokens.argmax(-1)]
        return F.normalize(ends @ self.text_projection, dim=-1)
