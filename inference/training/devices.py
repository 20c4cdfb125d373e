"""Where training runs: the first GPU or the CPU, alone or as one of several processes of `torchrun`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Place:
    """One process of a run: its device, its number, and how many there are."""

    device: torch.device
    rank: int = 0
    world: int = 1

    def share(self, index: Tensor) -> Tensor:
        """Return this process's part of a batch (B,) of row numbers."""
        return index[self.rank :: self.world]

    def autocast(self) -> torch.autocast:
        """Return the context of mixed precision: bfloat16 for matrices, float32 weights throughout."""
        return torch.autocast(self.device.type, torch.bfloat16)

    def average(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace each gradient by its mean over the processes; nothing to do in a run of one."""
        if self.world == 1:
            return
        for parameter in parameters:
            # A term may have had no row here and some elsewhere: every process must take part in every sum.
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            dist.all_reduce(parameter.grad)
            parameter.grad /= self.world


def open_place() -> Place:
    """Find the device, and join the other processes where `torchrun` started several (its environment says so)."""
    world, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    has_gpu = torch.cuda.is_available()
    local = int(os.environ.get("LOCAL_RANK", "0"))
    if world > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if has_gpu else "gloo")
    if has_gpu:
        torch.cuda.set_device(local)
    return Place(torch.device("cuda", local) if has_gpu else torch.device("cpu"), rank, world)
