"""Fitted networks, class, numbers -> films: the coarse film first, then its detail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from inference.training.synthesis.flow import walk
from inference.training.synthesis.model import FlowNet
from inference.training.synthesis.stages import COARSE_SIDE, CONTRAST, DETAIL_CONTRAST, FACTOR, enlarge

BASE_STEPS: Final = 30
DETAIL_STEPS: Final = 12
GUIDANCE: Final = 1.5


@dataclass(frozen=True, slots=True)
class Generator:
    """The two networks that together make a film."""

    base: FlowNet
    detail: FlowNet
    side: int = COARSE_SIDE
    """Side of the coarse film; the finished one is FACTOR times larger."""


def draw_noise(label: int, numbers: Sequence[int], side: int, seed: int) -> Tensor:
    """Draw the noise (B, 1, side, side) of each film from its class and number alone, so that any can be remade."""
    key = (seed * 16 + label) * 1_000_000
    return torch.cat(
        [torch.randn(1, 1, side, side, generator=torch.Generator().manual_seed(key + number)) for number in numbers]
    )


def sample_films(generator: Generator, label: int, numbers: Sequence[int], seed: int = 0) -> npt.NDArray[np.uint8]:
    """Make one film of class `label` per number, uint8 (B, S, S); the same number gives the same film."""
    labels = torch.full((len(numbers),), label)
    noise = draw_noise(label, numbers, generator.side, seed)
    coarse = walk(generator.base, noise, labels, steps=BASE_STEPS, guidance=GUIDANCE) / CONTRAST + 0.5
    smooth = enlarge(coarse.clamp(0, 1))
    noise = draw_noise(label, numbers, generator.side * FACTOR, seed + 1)
    detail = walk(generator.detail, noise, labels, (smooth - 0.5) * CONTRAST, steps=DETAIL_STEPS) / DETAIL_CONTRAST
    films: npt.NDArray[np.uint8] = ((smooth + detail).clamp(0, 1) * 255).round().byte().squeeze(1).numpy()
    return films
