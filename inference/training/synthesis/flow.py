"""Flow matching: the straight road from noise to picture, its loss and the walk along it."""

from __future__ import annotations

import torch
from torch import Tensor

from inference.training.synthesis.model import NO_CLASS, FlowNet

DROPPED_LABELS = 0.1


def flow_loss(
    network: FlowNet, clean: Tensor, label: Tensor, condition: Tensor | None, generator: torch.Generator
) -> Tensor:
    """Mean squared error of the velocity at random points of the road (Lipman et al., ICLR 2023).

    Args:
        network: estimates the velocity.
        clean: pictures (B, 1, S, S), about unit deviation.
        label: their classes (B,); one in ten is hidden, so that the network learns "any class" too.
        condition: pictures (B, 1, S, S) the result must agree with, or None.
        generator: draws times, noise and hidden labels.
    """
    batch = len(clean)
    # Times near the middle teach most: at the ends the answer is nearly known (logit-normal, Esser et al. 2024).
    time = torch.randn(batch, generator=generator).sigmoid()
    noise = torch.randn(clean.shape, generator=generator)
    hidden = torch.rand(batch, generator=generator) < DROPPED_LABELS
    place = time[:, None, None, None]
    with torch.autocast("cpu", torch.bfloat16):
        velocity = network(noise.lerp(clean, place), time, label.masked_fill(hidden, NO_CLASS), condition)
    loss: Tensor = (velocity.float() - (clean - noise)).square().mean()
    return loss


def guided_velocity(
    network: FlowNet, x: Tensor, time: float, label: Tensor, condition: Tensor | None, guidance: float
) -> Tensor:
    """Estimate the velocity, pushed away from "any class" by `guidance` (1: not at all)."""
    moment = torch.full((len(x),), time)
    with torch.autocast("cpu", torch.bfloat16):
        velocity: Tensor = network(x, moment, label, condition).float()
        if guidance == 1.0:
            return velocity
        anything = network(x, moment, torch.full_like(label, NO_CLASS), condition).float()
    guided: Tensor = anything + guidance * (velocity - anything)
    return guided


@torch.no_grad()
def walk(
    network: FlowNet,
    noise: Tensor,
    label: Tensor,
    condition: Tensor | None = None,
    *,
    steps: int,
    guidance: float = 1.0,
) -> Tensor:
    """Follow the velocity from noise (B, 1, S, S) to pictures of the same shape, by Heun's method."""
    x, stride = noise, 1.0 / steps
    for step in range(steps):
        here = guided_velocity(network, x, step * stride, label, condition, guidance)
        ahead = guided_velocity(network, x + stride * here, (step + 1) * stride, label, condition, guidance)
        x = x + stride * (here + ahead) / 2
    return x
