"""BioViL-T (Bannur et al. 2023) at compact size: an image tower that would compare a film with the one before."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from inference.baselines.compact.joint import JointModel
from inference.baselines.compact.sizes import Sizes
from inference.baselines.compact.towers import MapTokens, TextTower, transformer


def sine_positions(grid: int, width: int) -> Tensor:
    """Return fixed position codes (G * G, width): sines and cosines of the row in one half, of the column in the other.

    Raises:
        ValueError: the width is not a multiple of 4.
    """
    if width % 4:
        raise ValueError(f"sines and cosines of two axes need a width in multiples of 4, not {width}")
    place = (torch.arange(grid) + 1) / grid * 2 * torch.pi
    angles = place[:, None] / 10_000 ** (torch.arange(width // 4) / (width // 4))
    codes = torch.cat([angles.sin(), angles.cos()], 1)  # (G, width / 2)
    rows, columns = codes[:, None].expand(-1, grid, -1), codes[None].expand(grid, -1, -1)
    return torch.cat([rows, columns], -1).reshape(grid * grid, width)


class BioViLT(JointModel):
    """A pooler over the film and its prior, a projector of each patch, text projected from `[CLS]`, contrastive loss.

    No case here has a prior film: the learned token `missing_previous_emb` stands in its place. The published code
    passes over the pooler then; here it would never learn anything that way, so that one token stands in the pooler
    where the prior's patches would be. Normalised by layer, not by batch: averaged weights have no batch statistics.
    The linear probe in place of zero-shot prompts is explained in `inference.baselines.compact.joint`.
    """

    positions: Tensor

    def __init__(self, sizes: Sizes) -> None:
        super().__init__(sizes)
        width, joint = sizes.width, sizes.joint
        self.patches = MapTokens(sizes.channels, width)
        self.missing_previous_emb = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.type_embed = nn.Parameter(torch.randn(2, 1, width) * 0.02)
        self.register_buffer("positions", sine_positions(sizes.grid, width), persistent=False)
        self.pooler, self.norm_post = transformer(sizes, sizes.image_depth, ratio=1), nn.LayerNorm(width)
        self.projector = nn.Sequential(
            nn.Linear(2 * width, joint, bias=False), nn.LayerNorm(joint), nn.ReLU(), nn.Linear(joint, joint)
        )
        self.text = TextTower(sizes)
        self.cls_projection_head = nn.Sequential(
            nn.Linear(width, joint), nn.GELU(), nn.LayerNorm(joint), nn.Linear(joint, joint)
        )

    def look(self, maps: Tensor) -> Tensor:
        """Project maps (B, C, G, G) into the embedding (B, J): the mean of the projected patches."""
        patches = self.patches(maps)
        now = patches + self.positions + self.type_embed[0]
        before = (self.missing_previous_emb + self.type_embed[1]).expand(len(patches), -1, -1)
        tokens = torch.cat([now, before], 1)
        for block in self.pooler:
            tokens = block(tokens)
        difference = self.norm_post(tokens[:, : patches.shape[1]])
        seen: Tensor = self.projector(torch.cat([patches, difference], -1)).mean(1)
        return seen

    def read(self, tokens: Tensor) -> Tensor:
        """Project notes (B, N) into the embedding (B, J) through their first token, `[CLS]`."""
        heard: Tensor = self.cls_projection_head(self.text(tokens)[:, 0])
        return heard
