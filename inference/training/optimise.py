"""Optimiser, schedule and averaged weights of one stage: the same for every network trained here."""

from __future__ import annotations

import copy
import math
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

from inference.training.recipe import Stage

Network = TypeVar("Network", bound=nn.Module)
WARM_UP = 200
"""Steps until the learning rate is at its highest; a tenth of a run that is shorter than ten times that."""


class Optimiser(Generic[Network]):
    """One training run's moving parts around a network; `averaged` is the network to keep."""

    def __init__(self, network: Network, stage: Stage, steps: int) -> None:
        for module in network.modules():
            if isinstance(module, nn.Dropout):
                module.p = stage.dropout
        self.network, self.stage, self.step_number = network, stage, 0
        self.averaged = copy.deepcopy(network).eval().requires_grad_(requires_grad=False)
        self.trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self.adam = torch.optim.AdamW(self.trained, lr=stage.rate, weight_decay=stage.decay, betas=(0.9, 0.98))

        warm_up = min(WARM_UP, steps // 10 + 1)

        def rate(step: int) -> float:
            return min(1.0, step / warm_up) * (0.49 * (1 + math.cos(math.pi * min(1.0, step / steps))) + 0.02)

        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.adam, rate)

    def step(self, loss: Tensor) -> None:
        """Follow the gradient of a loss () once, and move the average."""
        self.adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.trained, 1.0)
        self.adam.step()
        self.schedule.step()
        self.step_number += 1
        # The average forgets its random start quickly and is long only later.
        kept = min(self.stage.average, (1 + self.step_number) / (10 + self.step_number))
        with torch.no_grad():
            for average, current in zip(self.averaged.parameters(), self.network.parameters(), strict=True):
                average.lerp_(current, 1 - kept)
