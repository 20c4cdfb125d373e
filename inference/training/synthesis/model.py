"""Noisy picture, time, class -> velocity: a U-Net that knows nothing of radiographs or of how it is fitted."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from inference.contract import CLASSES

NO_CLASS = CLASSES
"""The label that stands for "any class": learned beside the classes, so that guidance can push away from it."""
GROUPS = 8
EMBED = 256


def embed_time(time: Tensor) -> Tensor:
    """Spread times (B,) in 0..1 over sines and cosines (B, EMBED) of geometric frequencies."""
    frequencies = torch.exp(torch.linspace(0.0, 6.0, EMBED // 2))
    angles = time[:, None] * frequencies * torch.pi
    return torch.cat([angles.sin(), angles.cos()], -1)


class ResidualBlock(nn.Module):
    """Two convolutions whose middle is scaled and shifted by time and class."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.norm_in, self.norm_out = nn.GroupNorm(GROUPS, before), nn.GroupNorm(GROUPS, after)
        self.conv_in = nn.Conv2d(before, after, 3, padding=1)
        self.conv_out = nn.Conv2d(after, after, 3, padding=1)
        self.modulate = nn.Linear(EMBED, 2 * after)
        self.skip = nn.Conv2d(before, after, 1) if before != after else nn.Identity()
        nn.init.zeros_(self.conv_out.weight)  # each block starts as "change nothing", which steadies the first steps

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """Turn features (B, before, H, W) into (B, after, H, W)."""
        hidden = self.conv_in(nn.functional.silu(self.norm_in(x)))
        scale, shift = self.modulate(embedding)[:, :, None, None].chunk(2, 1)
        hidden = self.conv_out(nn.functional.silu(self.norm_out(hidden) * (1 + scale) + shift))
        result: Tensor = self.skip(x) + hidden
        return result


class Attention(nn.Module):
    """Each place looks at every other: the only part that compares the two lungs directly."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(GROUPS, width)
        self.query_key_value = nn.Conv2d(width, 3 * width, 1)
        self.project = nn.Conv2d(width, width, 1)
        nn.init.zeros_(self.project.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Mix features (B, width, H, W) over places; the same shape comes back."""
        places = self.query_key_value(self.norm(x)).flatten(2).transpose(1, 2)  # (B, H*W, 3*width)
        query, key, value = places.unsqueeze(1).chunk(3, -1)
        mixed = nn.functional.scaled_dot_product_attention(query, key, value)
        result: Tensor = x + self.project(mixed.squeeze(1).transpose(1, 2).reshape(x.shape))
        return result


class FlowNet(nn.Module):
    """U-Net over `patch` x `patch` pixels at a time, so that its cost does not follow the picture's side.

    Args:
        patch: pixels a side that become channels before the first convolution.
        widths: channels at each halving, first the finest.
        conditioned: whether a second picture of the same side says what the result must agree with.
    """

    def __init__(self, *, patch: int, widths: tuple[int, ...], conditioned: bool) -> None:
        super().__init__()
        pixels, first, last = patch * patch, widths[0], widths[-1]
        self.conditioned = conditioned
        self.label = nn.Embedding(CLASSES + 1, EMBED)
        self.embed = nn.Sequential(nn.Linear(EMBED, EMBED), nn.SiLU(), nn.Linear(EMBED, EMBED))
        self.fold, self.unfold = nn.PixelUnshuffle(patch), nn.PixelShuffle(patch)
        self.enter = nn.Conv2d(pixels * (2 if conditioned else 1), first, 3, padding=1)
        pairs = list(zip((first, *widths), widths, strict=False))
        self.down = nn.ModuleList(ResidualBlock(before, after) for before, after in pairs)
        self.halve = nn.ModuleList(nn.Conv2d(width, width, 3, stride=2, padding=1) for width in widths[:-1])
        self.middle_in, self.attend, self.middle_out = (
            ResidualBlock(last, last),
            Attention(last),
            ResidualBlock(last, last),
        )
        self.up = nn.ModuleList(ResidualBlock(2 * after, before) for before, after in reversed(pairs))
        self.leave = nn.Sequential(nn.GroupNorm(GROUPS, first), nn.SiLU(), nn.Conv2d(first, pixels, 3, padding=1))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's overloads miss this keyword

    def forward(self, noisy: Tensor, time: Tensor, label: Tensor, condition: Tensor | None = None) -> Tensor:
        """Estimate the velocity (B, 1, S, S) at noisy pictures (B, 1, S, S), times (B,) and labels (B,).

        Raises:
            ValueError: a condition is missing, or given to a network made without one.
        """
        if (condition is not None) != self.conditioned:
            raise ValueError("give `condition` exactly to the networks that were made with `conditioned=True`")
        pictures = noisy if condition is None else torch.cat([noisy, condition], 1)
        embedding = nn.functional.silu(self.embed(embed_time(time)) + self.label(label))
        x = self.enter(self.fold_all(pictures).contiguous(memory_format=torch.channels_last))
        kept = []
        for level, block in enumerate(self.down):
            x = block(self.halve[level - 1](x) if level else x, embedding)
            kept.append(x)
        x = self.middle_out(self.attend(self.middle_in(x, embedding)), embedding)
        for level, block in enumerate(self.up):
            x = block(
                torch.cat([nn.functional.interpolate(x, scale_factor=2.0) if level else x, kept.pop()], 1), embedding
            )
        velocity: Tensor = self.unfold(self.leave(x))
        return velocity

    def fold_all(self, pictures: Tensor) -> Tensor:
        """Turn pixels (B, C, S, S) into channels (B, C * patch^2, S / patch, S / patch)."""
        folded: Tensor = self.fold(pictures)
        return folded
