"""Sizes of an image model of BioViL-T or BioViL -> the model, its tensors named as in the published files."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from inference.baselines.published.resnet import ResNet, ResNetSizes
from inference.baselines.published.vit_pooler import GRID, PoolerSizes, VitPooler

STRIDE: Final = 32
"""Pixels of the film a side of one patch."""


class SingleTrunk(nn.Module):
    """BioViL: a ResNet and nothing more; the `fc` in the file is never used."""

    crop: Final = 480

    def __init__(self, sizes: ResNetSizes) -> None:
        super().__init__()
        self.encoder = ResNet(sizes)
        self.width = sizes.features

    def forward(self, images: Tensor, previous: Tensor | None) -> Tensor:
        """Map images (B, 3, S, S) to patches (B, width, S/32, S/32)."""
        if previous is not None:
            raise ValueError("BioViL takes no earlier film: give none, or use BioViL-T")
        return self.encoder.features(images)


class PairTrunk(nn.Module):
    """BioViL-T: patches of the film, and beside them what changed since an earlier one."""

    crop: Final = GRID * STRIDE

    def __init__(self, sizes: ResNetSizes, pooler: PoolerSizes) -> None:
        super().__init__()
        self.encoder = ResNet(sizes)
        self.backbone_to_vit = nn.Conv2d(sizes.features, pooler.width, 1, bias=False)
        self.vit_pooler = VitPooler(pooler)
        self.missing_previous_emb = nn.Parameter(torch.zeros(1, pooler.width, 1, 1))
        self.width = 2 * pooler.width

    def forward(self, images: Tensor, previous: Tensor | None) -> Tensor:
        """Map images (B, 3, S, S), with or without earlier ones, to patches (B, 2 D, S/32, S/32).

        Raises:
            ValueError: an earlier film of another size than 448 pixels, for which the transformer knows no places.
        """
        static = self.patches(images)
        if previous is None:
            change = self.missing_previous_emb.expand(len(images), -1, *static.shape[2:])
            return torch.cat([static, change], 1)
        if not images.shape == previous.shape == (len(images), 3, self.crop, self.crop):
            raise ValueError(f"with an earlier film both must be (B, 3, {self.crop}, {self.crop})")
        return torch.cat([static, self.vit_pooler(static, self.patches(previous))], 1)

    def patches(self, images: Tensor) -> Tensor:
        """Map images (B, 3, S, S) to patches (B, D, S/32, S/32)."""
        patches: Tensor = self.backbone_to_vit(self.encoder.features(images))
        return patches


class Projector(nn.Module):
    """Two 1x1 convolutions to the space shared with the text model."""

    def __init__(self, width: int, embed: int) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.Conv2d(width, embed, 1, bias=False), nn.BatchNorm2d(embed), nn.ReLU(), nn.Conv2d(embed, embed, 1)
        )

    def forward(self, patches: Tensor) -> Tensor:
        """Map patches (B, width, G, G) to (B, E, G, G)."""
        projected: Tensor = self.model(patches)
        return projected


class BioVilImage(nn.Module):
    """Trunk and projector.

    Attributes:
        crop: pixels a side of the films it was trained on.
        embed: width E of the shared space.
    """

    def __init__(self, trunk: SingleTrunk | PairTrunk, embed: int) -> None:
        super().__init__()
        self.encoder, self.projector = trunk, Projector(trunk.width, embed)
        self.crop, self.embed = trunk.crop, embed

    def forward(self, images: Tensor, previous: Tensor | None = None) -> Tensor:
        """Map images (B, 3, S, S) to projected patches (B, E, S/32, S/32); their mean is the film's vector."""
        projected: Tensor = self.projector(self.encoder(images, previous))
        return projected
