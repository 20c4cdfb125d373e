"""Word pieces of a note -> text tokens: a BERT-style encoder."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from inference.model.blocks import TransformerBlock
from inference.model.config import ModelConfig

PADDING = 0
"""Id of the padding piece."""


def padding_bias(tokens: Tensor) -> Tensor:
    """Return what is added to attention scores: (B, 1, 1, N), 0 at words and a large negative number at padding.

    Not minus infinity: a row that is padding throughout must give finite numbers, which the mask then removes.
    """
    return (tokens == PADDING)[:, None, None, :].float() * -1e4


class TextEncoder(nn.Module):
    """Token and position embeddings, then self-attention blocks."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width = config.text_width
        self.embed = nn.Embedding(config.vocabulary, width, padding_idx=PADDING)
        self.position = nn.Parameter(torch.randn(1, config.text_tokens, width) * 0.02)
        self.norm_in, self.norm_out = nn.LayerNorm(width), nn.LayerNorm(width)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(
            TransformerBlock(width, config.text_heads, dropout=config.dropout) for _ in range(config.text_depth)
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """Encode word-piece ids (B, N), N at most `text_tokens`, into tokens (B, N, width)."""
        bias = padding_bias(tokens)
        states = self.dropout(self.norm_in(self.embed(tokens) + self.position[:, : tokens.shape[1]]))
        for block in self.blocks:
            states = block(states, bias)
        encoded: Tensor = self.norm_out(states)
        return encoded
