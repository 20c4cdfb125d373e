"""Word pieces and text tokens -> tags of the named entities in a note, one row a word piece."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from inference.entities import TAGS
from inference.model.blocks import TransformerBlock
from inference.model.text import PADDING, padding_bias

OWN: Final = 32
"""Width of the head's own word-piece embedding."""
WIDTH: Final = 64
HEADS: Final = 4
RATIO: Final = 2
REACHES: Final = (1, 2, 4)
"""Steps between the neighbours that each local layer looks at: together 21 word pieces to either side."""
NEIGHBOURS: Final = 7


class LocalMixing(nn.Module):
    """Let each word piece see its neighbours in their order: a depthwise convolution, then a linear layer."""

    def __init__(self, width: int, reach: int) -> None:
        super().__init__()
        self.norm, self.out = nn.LayerNorm(width), nn.Linear(width, width)
        self.mix = nn.Conv1d(width, width, NEIGHBOURS, padding=reach * (NEIGHBOURS // 2), dilation=reach, groups=width)

    def forward(self, states: Tensor, words: Tensor) -> Tensor:
        """Mix states (B, N, width); `words` (B, N, 1) is 0 at padding, which no word may see."""
        mixed = self.mix((self.norm(states) * words).transpose(1, 2)).transpose(1, 2)
        added: Tensor = states + self.out(nn.functional.gelu(mixed))
        return added


class EntityHead(nn.Module):
    """An embedding of its own beside the text encoder's tokens, local layers, one transformer block, and the tags.

    The encoder learned what a note says for the diagnosis: its tokens hardly know their place, and little of which word
    they were. So the head looks at the words again, and its first layers at the order: what denies a term stands near.
    """

    def __init__(self, vocabulary: int, text_width: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary, OWN, padding_idx=PADDING)
        nn.init.normal_(self.embed.weight, std=0.1)  # a word that training never met should say little
        self.join = nn.Linear(text_width + OWN, WIDTH)
        self.local = nn.ModuleList(LocalMixing(WIDTH, reach) for reach in REACHES)
        self.block = TransformerBlock(WIDTH, HEADS, ratio=RATIO, dropout=dropout)
        self.norm, self.tags = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, TAGS)

    def forward(self, states: Tensor, tokens: Tensor) -> Tensor:
        """Tag states (B, N, text width) of the text encoder for word-piece ids (B, N): (B, N, TAGS)."""
        words = (tokens != PADDING).to(states.dtype)[..., None]
        mixed = self.join(torch.cat([states, self.embed(tokens)], -1))
        for layer in self.local:
            mixed = layer(mixed, words)
        tagged: Tensor = self.tags(self.norm(self.block(mixed, padding_bias(tokens))))
        return tagged
