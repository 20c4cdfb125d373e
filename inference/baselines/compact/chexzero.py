"""CheXzero (Tiu et al. 2022) at compact size: CLIP on pairs of film and note."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from inference.baselines.compact.joint import JointModel
from inference.baselines.compact.sizes import Sizes
from inference.baselines.compact.towers import MapTokens, TextTower, last_word, transformer


class CheXzero(JointModel):
    """A ViT with a class token, a causal text transformer pooled at its last token, contrastive loss.

    The linear probe in place of zero-shot prompts is explained in `inference.baselines.compact.joint`.
    """

    def __init__(self, sizes: Sizes) -> None:
        super().__init__(sizes)
        self.patches = MapTokens(sizes.channels, sizes.width)
        self.question = nn.Parameter(torch.randn(1, 1, sizes.width) * 0.02)
        self.position = nn.Parameter(torch.randn(1, 1 + sizes.grid**2, sizes.width) * 0.02)
        self.norm_before, self.norm_after = nn.LayerNorm(sizes.width), nn.LayerNorm(sizes.width)
        self.blocks = transformer(sizes, sizes.image_depth, quick=True)
        self.text = TextTower(sizes, causal=True)
        self.image_projection = nn.Linear(sizes.width, sizes.joint, bias=False)
        self.text_projection = nn.Linear(sizes.width, sizes.joint, bias=False)

    def look(self, maps: Tensor) -> Tensor:
        """Project maps (B, C, G, G) into the embedding (B, J) through the class token."""
        patches = self.patches(maps)
        tokens = torch.cat([self.question.expand(len(patches), -1, -1), patches], 1)
        tokens = self.norm_before(tokens + self.position)
        for block in self.blocks:
            tokens = block(tokens)
        seen: Tensor = self.image_projection(self.norm_after(tokens[:, 0]))
        return seen

    def read(self, tokens: Tensor) -> Tensor:
        """Project notes (B, N) into the embedding (B, J) through their last token."""
        heard: Tensor = self.text_projection(last_word(self.text(tokens), tokens))
        return heard
