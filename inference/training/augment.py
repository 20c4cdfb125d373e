"""Batches of films as another exposure, position or angle would have shown them."""

from __future__ import annotations

import torch
from torch import Tensor


def draw_affine(batch: int, generator: torch.Generator, strength: float) -> Tensor:
    """Draw maps (B, 2, 3): up to 8 degrees, 10 % size, 6 % shift at strength 1, and a mirror for every second film.

    The mirror also turns the side letters round, whose style differs between the classes' sources.
    """

    def uniform(reach: float) -> Tensor:
        return (torch.rand(batch, generator=generator) * 2 - 1) * reach * strength

    angle, size = uniform(0.14), 1 + uniform(0.10)
    mirror = torch.where(torch.rand(batch, generator=generator) < 0.5, -1.0, 1.0)
    cosine, sine = torch.cos(angle) * size, torch.sin(angle) * size
    rows = torch.stack([cosine * mirror, -sine, uniform(0.06), sine * mirror, cosine, uniform(0.06)], -1)
    return rows.view(batch, 2, 3)


def augment(image: Tensor, generator: torch.Generator, strength: float = 1.0) -> Tensor:
    """Move, expose and grain images (B, 1, S, S) in 0..1; the same shape comes back, at strength 0 only mirrored."""
    grid = torch.nn.functional.affine_grid(
        draw_affine(len(image), generator, strength), list(image.shape), align_corners=False
    )
    image = torch.nn.functional.grid_sample(image, grid, padding_mode="border", align_corners=False)

    def factor(spread: float) -> Tensor:
        return 1 + (torch.rand(len(image), 1, 1, 1, generator=generator) * 2 - 1) * spread * strength

    image = image.clamp(1e-3, 1) ** factor(0.25)
    image = (image - 0.5) * factor(0.2) + 0.5 * factor(0.2)
    return (image + torch.randn(image.shape, generator=generator) * 0.01 * strength).clamp(0, 1)


def cover(image: Tensor, generator: torch.Generator, share: float = 0.5) -> Tensor:
    """Cover a rectangle, 15 to 45 % of each side, with its film's mean grey in a share of images (B, 1, S, S).

    What is covered must not decide alone: the answer rests on more of the film, and films with a part taken away, which
    is how an explanation is tested, are not strange to the model.
    """
    batch, side = len(image), image.shape[-1]
    drawn = torch.rand(batch, 5, generator=generator)
    height, width = (0.15 + 0.3 * drawn[:, :2]).T
    top, left = drawn[:, 2] * (1 - height), drawn[:, 3] * (1 - width)
    place = (torch.arange(side) + 0.5) / side
    rows = (place >= top[:, None]) & (place < (top + height)[:, None])
    columns = (place >= left[:, None]) & (place < (left + width)[:, None])
    hidden = rows[:, None, :, None] & columns[:, None, None, :] & (drawn[:, 4] < share)[:, None, None, None]
    return torch.where(hidden, image.mean((1, 2, 3), keepdim=True), image)
