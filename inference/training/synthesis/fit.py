"""Films, stage -> fitted network: one resumable loop for both stages."""

from __future__ import annotations

import copy
import math
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog
import torch
from torch import Tensor

from inference.training.synthesis.flow import flow_loss
from inference.training.synthesis.model import FlowNet
from inference.training.synthesis.stages import Stage

log = structlog.get_logger(__name__)


class CheckpointError(ValueError):
    """A checkpoint that another recipe or form of network wrote; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How long and how fast one stage is fitted; `average` is the share of the old weights the average keeps."""

    steps: int
    batch: int = 32
    rate: float = 1e-3
    warm_up: int = 100
    average: float = 0.999
    save_every: int = 250
    seed: int = 0

    def rate_at(self, step: int) -> float:
        """Learning rate at a step: a short rise, then a cosine down to nothing."""
        return self.rate * min(1.0, (step + 1) / self.warm_up) * 0.5 * (1 + math.cos(math.pi * step / self.steps))


class Fitting:
    """A network on its way: weights, their running average, the optimiser and the step it stands at."""

    def __init__(self, stage: Stage, recipe: Recipe) -> None:
        self.stage, self.recipe, self.step = stage, recipe, 0
        self.network = stage.build(recipe.seed)
        self.averaged = copy.deepcopy(self.network).requires_grad_(requires_grad=False)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=recipe.rate, weight_decay=0.01, betas=(0.9, 0.98)
        )

    def advance(self, pixels: Tensor, labels: Tensor) -> float:
        """Take one step on films drawn from pixels uint8 (N, 1, S, S) and labels (N,); return the loss."""
        # A generator made anew from the step, so that a resumed run draws what an unbroken one would have drawn.
        generator = torch.Generator().manual_seed(self.recipe.seed * 1_000_003 + self.step)
        chosen = torch.randint(len(pixels), (self.recipe.batch,), generator=generator)
        clean, condition = self.stage.draw(pixels[chosen].float() / 255, generator)
        loss = flow_loss(self.network, clean, labels[chosen], condition, generator)
        self.optimizer.param_groups[0]["lr"] = self.recipe.rate_at(self.step)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves this method untyped
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        self.follow()
        return loss.item()

    @torch.no_grad()
    def follow(self) -> None:
        """Move the averaged weights towards the present ones, faster while the run is young."""
        keep = min(self.recipe.average, (1 + self.step) / (10 + self.step))
        for mean, now in zip(self.averaged.parameters(), self.network.parameters(), strict=True):
            mean.lerp_(now, 1 - keep)

    def made_by(self) -> dict[str, object]:
        """Say what a run must have in common with this one to go on where it stopped."""
        return {"stage": self.stage.name, "widths": self.stage.widths, **asdict(self.recipe)}

    def save(self, path: Path) -> None:
        """Write the whole state, so that a cut write never leaves half a file."""
        partial = path.with_suffix(".partial")
        parts = {name: getattr(self, name).state_dict() for name in ("network", "averaged", "optimizer")}
        torch.save({**parts, "step": self.step, "made_by": self.made_by()}, partial)
        partial.replace(path)

    def load(self, path: Path) -> None:
        """Take up the state that `save` wrote.

        Raises:
            CheckpointError: it was written for another stage or recipe.
        """
        state = torch.load(path, weights_only=True)
        if state["made_by"] != self.made_by():
            raise CheckpointError(f"{path} is from a run with other settings: repeat those, or take the file away")
        for name in ("network", "averaged", "optimizer"):
            getattr(self, name).load_state_dict(state[name])
        self.step = state["step"]


def fit(stage: Stage, recipe: Recipe, pixels: Tensor, labels: Tensor, checkpoint: Path) -> FlowNet:
    """Fit a stage, from its checkpoint where there is one, and return the averaged network.

    Args:
        stage: what is fitted.
        recipe: how long and how fast.
        pixels: training films uint8 (N, 1, S, S).
        labels: their classes int64 (N,).
        checkpoint: file that is read if it exists, and written every `recipe.save_every` steps.

    Raises:
        CheckpointError: the checkpoint is from a run with other settings.
    """
    fitting, losses = Fitting(stage, recipe), list[float]()
    if checkpoint.exists():
        fitting.load(checkpoint)
    while fitting.step < recipe.steps:
        losses.append(fitting.advance(pixels, labels))
        if fitting.step % recipe.save_every == 0 or fitting.step == recipe.steps:
            mean = round(sum(losses) / len(losses), 4)
            log.info("fitted", stage=stage.name, step=fitting.step, of=recipe.steps, loss=mean)
            fitting.save(checkpoint)
            losses.clear()
    return fitting.averaged.eval()
