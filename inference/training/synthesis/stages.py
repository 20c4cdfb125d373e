"""Films -> what each of the two networks learns: the coarse film, then the detail that it lacks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from inference.training.synthesis.model import FlowNet

FILM_SIDE: Final = 256
FACTOR: Final = 4
"""How many times coarser the first network's film is than the finished one."""
COARSE_SIDE: Final = FILM_SIDE // FACTOR
CONTRAST: Final = 4.0
"""Brings coarse films, grey 0..1 with deviation near 0.25, to about unit deviation."""
DETAIL_CONTRAST: Final = 32.0
"""The same for the detail, whose deviation is near 0.03."""
CONDITION_NOISE: Final = 0.06

Example = tuple[Tensor, Tensor | None]
"""Clean pictures (B, 1, S, S) and the condition of the same shape, or None."""


def to_coarse(grey: Tensor) -> Tensor:
    """Average films (B, 1, S, S) in 0..1 down to (B, 1, S / FACTOR, S / FACTOR)."""
    return torch.nn.functional.avg_pool2d(grey, FACTOR)


def enlarge(coarse: Tensor) -> Tensor:
    """Enlarge coarse films FACTOR times, smoothly: the film without its detail."""
    return torch.nn.functional.interpolate(coarse, scale_factor=float(FACTOR), mode="bicubic")


def draw_base(grey: Tensor, generator: torch.Generator) -> Example:
    """Make the base network's examples: the coarse films themselves."""
    del generator
    return (to_coarse(grey) - 0.5) * CONTRAST, None


def draw_detail(grey: Tensor, generator: torch.Generator) -> Example:
    """Make the detail network's examples: random windows, half a film wide, of detail and of the enlarged film."""
    coarse = to_coarse(grey)
    # The base network's films will not be as clean as real ones: a little noise teaches the detail not to trust them.
    level = torch.rand(len(grey), 1, 1, 1, generator=generator) * CONDITION_NOISE
    smooth = enlarge(coarse + level * torch.randn(coarse.shape, generator=generator))
    side = grey.shape[-1] // 2
    top, left = (int(torch.randint(side // FACTOR + 1, (), generator=generator)) * FACTOR for _ in range(2))
    window = (..., slice(top, top + side), slice(left, left + side))
    return (grey - smooth)[window] * DETAIL_CONTRAST, (smooth[window] - 0.5) * CONTRAST


@dataclass(frozen=True, slots=True)
class Stage:
    """One of the two networks: its form, and how films become its examples."""

    name: str
    patch: int
    widths: tuple[int, ...]
    conditioned: bool
    draw: Callable[[Tensor, torch.Generator], Example]

    def build(self, seed: int) -> FlowNet:
        """Make the network with the starting weights that `seed` fixes."""
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return FlowNet(patch=self.patch, widths=self.widths, conditioned=self.conditioned)


BASE: Final = Stage("base", 2, (64, 128, 192), conditioned=False, draw=draw_base)
DETAIL: Final = Stage("detail", 4, (64, 96, 128), conditioned=True, draw=draw_detail)
