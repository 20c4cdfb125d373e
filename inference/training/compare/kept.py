"""Trained systems <-> files, each bound to the checkpoint whose stem it reads.

`seed-<n>/<system>.safetensors`, weights in half precision, with what is needed to refuse a file of another checkpoint.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from inference.checkpoint import SHIPPED, CheckpointError
from inference.training.compare.systems import TRAINED, Ground, build, kept_names

SHIPPED_SYSTEMS: Final = SHIPPED.parent / "compared"
"""The systems that ship beside the shipped checkpoint."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where trained systems lie: those of this machine first, then those that ship, if these may be used."""

    work: Path
    shipped: Path | None = SHIPPED_SYSTEMS

    def own(self, name: str, seed: int) -> Path:
        """Return where a system trained here is kept."""
        return self.work / f"seed-{seed}" / f"{name}.safetensors"

    def find(self, name: str, seed: int) -> Path | None:
        """Return the file of a system, None where it is still to be trained."""
        own = self.own(name, seed)
        shipped = None if self.shipped is None else self.shipped / f"seed-{seed}" / own.name
        return next((path for path in (own, shipped) if path is not None and path.is_file()), None)

    def missing(self, seeds: int) -> list[tuple[int, str]]:
        """List seed and name of every system of seeds 0 to `seeds` - 1 that is still to be trained."""
        return [(seed, name) for seed in range(seeds) for name in TRAINED if self.find(name, seed) is None]


def save_system(path: Path, name: str, system: nn.Module, ground: Ground) -> None:
    """Write what a system trained; what it shares with the checkpoint is not written again."""
    own, weights = kept_names(build(name, ground)), {key for key, _ in system.named_parameters()}
    state = {
        key: (tensor.half() if key in weights else tensor).contiguous()
        for key, tensor in system.state_dict().items()
        if key in own
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    # A run that is cut off while it writes leaves no half file under the name that counts.
    partial = path.with_suffix(".partial")
    save_file(state, partial, metadata={"system": name, "checkpoint": ground.digest})
    partial.replace(path)


def load_system(path: Path, name: str, ground: Ground) -> nn.Module:
    """Rebuild a trained system on the checkpoint it stands on.

    Raises:
        CheckpointError: the file is of another system or checkpoint, is unreadable, or has other weights.
    """
    try:
        with safe_open(path, "pt") as file:
            noted = file.metadata() or {}
        state = {key: tensor.float() for key, tensor in load_file(path).items()}
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path} cannot be read: delete it, and it is trained again") from error
    if noted.get("checkpoint") != ground.digest:
        raise CheckpointError(
            f"{path} was trained on the image stem of another checkpoint and would see nothing with this one: "
            "add --retrain, with a --work folder of this checkpoint's own"
        )
    system = build(name, ground)
    if noted.get("system") != name or set(state) != kept_names(system):
        raise CheckpointError(f"{path} is not {name} as this version builds it: add --retrain, with an empty --work")
    try:
        system.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise CheckpointError(f"{path} has weights of another size: add --retrain, with an empty --work") from error
    return system.eval()
