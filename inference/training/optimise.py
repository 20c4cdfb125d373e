"""Optimiser, schedule, averaged weights and resumption of one stage: the same for every network trained here."""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path
from typing import Generic, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from inference.manifest import CheckpointError
from inference.training.devices import Place
from inference.training.recipe import Stage

Network = TypeVar("Network", bound=nn.Module)
WARM_UP = 200
"""Steps until the learning rate is at its highest; a tenth of a run that is shorter than ten times that."""
ADAM = ("exp_avg", "exp_avg_sq", "step")
"""What AdamW remembers of each weight."""


class Optimiser(Generic[Network]):
    """One training run's moving parts around a network; `averaged` is the network to keep."""

    def __init__(self, network: Network, stage: Stage, steps: int, place: Place | None = None) -> None:
        for module in network.modules():
            if isinstance(module, nn.Dropout):
                module.p = stage.dropout
        self.network, self.stage, self.step_number = network, stage, 0
        self.place = place or Place(torch.device("cpu"))
        self.averaged = copy.deepcopy(network).eval().requires_grad_(requires_grad=False)
        named = [(name, parameter) for name, parameter in network.named_parameters() if parameter.requires_grad]
        self.names, self.trained = [name for name, _ in named], [parameter for _, parameter in named]
        stem = [parameter for name, parameter in named if ".stem." in f".{name}"]
        others = [parameter for name, parameter in named if ".stem." not in f".{name}"]
        # The stem knows how to see from the start: it is moved more carefully than what is new.
        groups = [{"params": stem, "lr": stage.rate * stage.stem_rate}, {"params": others, "lr": stage.rate}]
        self.adam = torch.optim.AdamW(
            [group for group in groups if group["params"]], weight_decay=stage.decay, betas=(0.9, 0.98)
        )
        warm_up = min(WARM_UP, steps // 10 + 1)

        def rate(step: int) -> float:
            return min(1.0, step / warm_up) * (0.49 * (1 + math.cos(math.pi * min(1.0, step / steps))) + 0.02)

        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.adam, rate)

    def step(self, loss: Tensor) -> None:
        """Follow the gradient of a loss () once, and move the average."""
        self.adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.place.average(self.trained)
        nn.utils.clip_grad_norm_(self.trained, 1.0)
        self.adam.step()
        self.schedule.step()
        self.step_number += 1
        # The average forgets its random start quickly and is long only later.
        kept = min(self.stage.average, (1 + self.step_number) / (10 + self.step_number))
        with torch.no_grad():
            for average, current in zip(self.averaged.parameters(), self.network.parameters(), strict=True):
                average.lerp_(current, 1 - kept)

    def save(self, path: Path, epoch: int, generator: torch.Generator) -> None:
        """Write everything that the next epoch needs, as safetensors: a run that is cut off goes on from there."""
        if self.place.rank:
            return  # every process holds the same
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        tensors |= {f"averaged.{name}": value for name, value in self.averaged.state_dict().items()}
        for name, parameter in zip(self.names, self.trained, strict=True):
            # A weight that no loss has reached yet has no moments.
            if moments := self.adam.state.get(parameter):
                tensors |= {f"adam.{key}.{name}": moments[key] for key in ADAM}
        tensors["generator"] = generator.get_state()
        tensors["torch"] = torch.get_rng_state()
        kept = {name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()}
        notes = {"epoch": epoch, "steps": self.step_number, "rates": [group["lr"] for group in self.adam.param_groups]}
        partial = path.with_suffix(".partial")
        save_file(kept, partial, metadata={"resume": json.dumps(notes)})
        partial.replace(path)

    def resume(self, path: Path, generator: torch.Generator) -> int:
        """Go on from a saved state, and return how many epochs are done; 0 where there is no file.

        Raises:
            CheckpointError: the file is of another network or unreadable.
        """
        if not path.exists():
            return 0
        try:
            with safe_open(path, "pt") as file:
                notes = json.loads(file.metadata()["resume"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
            self._restore(tensors, notes, generator)
        except (OSError, KeyError, RuntimeError, TypeError, SafetensorError) as error:
            raise CheckpointError(f"{path} does not fit this run: delete it to start the stage anew") from error
        return int(notes["epoch"])

    def _restore(self, tensors: dict[str, Tensor], notes: dict[str, object], generator: torch.Generator) -> None:
        """Put saved tensors back where they were."""

        def under(prefix: str) -> dict[str, Tensor]:
            return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}

        self.network.load_state_dict(under("network."))
        self.averaged.load_state_dict(under("averaged."))
        reached = [pair for pair in zip(self.names, self.trained, strict=True) if f"adam.step.{pair[0]}" in tensors]
        for name, parameter in reached:
            # The counter stays on the CPU, as AdamW keeps it; the moments lie beside the weight.
            moments = {key: tensors[f"adam.{key}.{name}"].to(parameter.device) for key in ADAM[:2]}
            self.adam.state[parameter] = {**moments, "step": tensors[f"adam.step.{name}"]}
        self.step_number = int(str(notes["steps"]))
        self.schedule.last_epoch = self.step_number
        for group, rate in zip(self.adam.param_groups, notes["rates"], strict=True):  # type: ignore[call-overload]
            group["lr"] = rate
        generator.set_state(tensors["generator"])
        torch.set_rng_state(tensors["torch"])
