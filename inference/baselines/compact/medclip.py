"""MedCLIP (Wang et al. 2022) at compact size: films and notes matched by what they mean, not by whose they are."""

from __future__ import annotations

from torch import Tensor, nn

from inference.baselines.compact.joint import JointModel, unit
from inference.baselines.compact.losses import semantic_matching
from inference.baselines.compact.sizes import Sizes
from inference.baselines.compact.towers import MapTokens, TextTower, mean_word
from inference.baselines.compact.windows import PatchMerging, WindowBlock


class MedCLIP(JointModel):
    """A Swin transformer of two stages, a BERT-style text encoder pooled by the mean, semantic matching loss.

    Padding is left out of the mean, which the published code forgets. The linear probe in place of zero-shot prompts
    is explained in `inference.baselines.compact.joint`.
    """

    def __init__(self, sizes: Sizes) -> None:
        super().__init__(sizes)
        if sizes.grid % 2:
            raise ValueError(f"two stages of windows need an even grid, not {sizes.grid}")
        self.grid, width, half = sizes.grid, sizes.width // 2, sizes.grid // 2
        self.patches = MapTokens(sizes.channels, width)
        self.fine = nn.ModuleList(
            WindowBlock(width, sizes.heads // 2, sizes.grid, half, shift=shift, dropout=sizes.dropout)
            for shift in (0, half // 2)
        )
        self.merge = PatchMerging(width)
        # One window covers the coarse stage: there is nothing to shift.
        self.coarse = nn.ModuleList(
            WindowBlock(2 * width, sizes.heads, half, half, shift=0, dropout=sizes.dropout) for _ in range(2)
        )
        self.norm = nn.LayerNorm(2 * width)
        self.text = TextTower(sizes)
        self.image_projection = nn.Linear(2 * width, sizes.joint, bias=False)
        self.text_projection = nn.Linear(sizes.width, sizes.joint, bias=False)

    def look(self, maps: Tensor) -> Tensor:
        """Project maps (B, C, G, G) into the embedding (B, J) through the mean of the coarse tokens."""
        tokens = self.patches(maps)
        squares = tokens.view(len(tokens), self.grid, self.grid, -1)
        for block in (*self.fine, self.merge, *self.coarse):
            squares = block(squares)
        seen: Tensor = self.image_projection(self.norm(squares).flatten(1, 2).mean(1))
        return seen

    def read(self, tokens: Tensor) -> Tensor:
        """Project notes (B, N) into the embedding (B, J) through the mean of their tokens."""
        heard: Tensor = self.text_projection(mean_word(self.text(tokens), tokens))
        return heard

    def align(self, image: Tensor, text: Tensor, labels: Tensor) -> Tensor:
        """Return the semantic matching loss () of embeddings (B, J) and labels (B,)."""
        return semantic_matching(unit(image), unit(text), self.scale(), labels)
