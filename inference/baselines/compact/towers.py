"""Maps and word pieces -> tokens: the parts that several compared systems have in common."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from inference.baselines.compact.sizes import Sizes
from inference.model.blocks import TransformerBlock
from inference.model.text import PADDING, padding_bias


class MapTokens(nn.Module):
    """The patch embedding: a 1 x 1 convolution over the convolutional map, whose channels are normalised first."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.project = nn.Linear(channels, width, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        """Turn maps (B, C, G, G) into tokens (B, G * G, width), row by row from the top left."""
        tokens: Tensor = self.project(self.norm(maps.flatten(2).transpose(1, 2)))
        return tokens


class QuickGELU(nn.Module):
    """The activation of CLIP: x * sigmoid(1.702 x)."""

    def forward(self, values: Tensor) -> Tensor:
        """Apply it to values of any shape."""
        return values * torch.sigmoid(1.702 * values)


def transformer(sizes: Sizes, depth: int, *, ratio: int = 4, quick: bool = False) -> nn.ModuleList:
    """Return transformer blocks; `ratio` widens the perceptron, `quick` takes CLIP's activation."""
    blocks = [TransformerBlock(sizes.width, sizes.heads, ratio=ratio, dropout=sizes.dropout) for _ in range(depth)]
    if quick:
        for block in blocks:
            block.mlp[1] = QuickGELU()
    return nn.ModuleList(blocks)


class TextTower(nn.Module):
    """Word pieces to tokens: bidirectional like BERT, or causal like the text transformer of CLIP."""

    causal: Tensor

    def __init__(self, sizes: Sizes, *, causal: bool = False) -> None:
        super().__init__()
        self.embed = nn.Embedding(sizes.vocabulary, sizes.pieces, padding_idx=PADDING)
        self.widen = nn.Linear(sizes.pieces, sizes.width, bias=False)
        self.position = nn.Parameter(torch.randn(1, sizes.text_tokens, sizes.width) * 0.02)
        self.norm_in, self.norm_out = nn.LayerNorm(sizes.width), nn.LayerNorm(sizes.width)
        self.dropout = nn.Dropout(sizes.dropout)
        self.blocks = transformer(sizes, sizes.text_depth, ratio=2, quick=causal)
        ahead = torch.ones(sizes.text_tokens, sizes.text_tokens).triu(1) * -1e4
        self.register_buffer("causal", ahead * float(causal), persistent=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """Encode word-piece ids (B, N), N at most `text_tokens`, into tokens (B, N, width)."""
        length = tokens.shape[1]
        bias = padding_bias(tokens) + self.causal[:length, :length]
        states = self.dropout(self.norm_in(self.widen(self.embed(tokens)) + self.position[:, :length]))
        for block in self.blocks:
            states = block(states, bias)
        encoded: Tensor = self.norm_out(states)
        return encoded


def last_word(states: Tensor, tokens: Tensor) -> Tensor:
    """Return of states (B, N, width) that of each text's last piece, `[SEP]`; of the first where there is no text."""
    last = ((tokens != PADDING).sum(1) - 1).clamp(min=0)
    return states[torch.arange(len(states)), last]


def mean_word(states: Tensor, tokens: Tensor) -> Tensor:
    """Return the mean of states (B, N, width) over each text's pieces, padding left out; 0 where there is no text."""
    words = (tokens != PADDING).float()[..., None]
    return (states * words).sum(1) / words.sum(1).clamp(min=1)
