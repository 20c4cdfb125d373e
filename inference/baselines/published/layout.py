"""Tensors by name -> the sizes of the model that they belong to, and the model filled with them.

This module knows nothing of any one system.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from torch import Tensor, nn

from inference.baselines.published.state import listed, read_state
from inference.manifest import CheckpointError

HEAD_WIDTH: Final = 64
"""Width of one attention head in every CLIP and BERT of these files: no file says how many heads it has."""


@dataclass(frozen=True, slots=True)
class StateFile:
    """The tensors of one file, for a system that a message can name."""

    path: Path
    system: str
    tensors: Mapping[str, Tensor]

    @classmethod
    def open(cls, path: Path, system: str) -> StateFile:
        """Read a file.

        Raises:
            CheckpointError: as `read_state` says.
        """
        return cls(path, system, read_state(path))

    def refuse(self, why: str) -> CheckpointError:
        """Make the error of a file that does not fit."""
        return CheckpointError(
            f"{self.path} is no checkpoint of {self.system}: {why}. "
            "Give the file as its authors published it, or one trained by their code without changes to the model"
        )

    def shape(self, name: str, axes: int) -> tuple[int, ...]:
        """Return the shape of a tensor that must be there with a number of axes."""
        if name not in self.tensors:
            raise self.refuse(f"missing {name}")
        shape = tuple(self.tensors[name].shape)
        if len(shape) != axes or 0 in shape:
            raise self.refuse(f"{name} has shape {shape}, not {axes} axes")
        return shape

    def depth(self, prefix: str) -> int:
        """Count the numbered parts under a prefix: `visual.transformer.resblocks.` has one for each layer.

        A gap in the numbers is found when the model is filled.
        """
        numbers = {name.removeprefix(prefix).partition(".")[0] for name in self.tensors if name.startswith(prefix)}
        count = sum(number.isdecimal() for number in numbers)
        if not count:
            raise self.refuse(f"missing everything under {prefix}0")
        return count

    def heads(self, width: int) -> int:
        """Return how many attention heads a width has."""
        if width % HEAD_WIDTH:
            raise self.refuse(f"its width {width} is no multiple of {HEAD_WIDTH}, the width of an attention head")
        return width // HEAD_WIDTH

    def fill(self, model: nn.Module, *, tolerated: tuple[str, ...] = (), rename: Callable[[str], str] = str) -> None:
        """Copy the tensors into a model and set it to evaluation; half precision becomes the model's precision.

        Args:
            model: built to the sizes of this file.
            tolerated: ends of names that may be in the file, in the model, in both or in neither.
            rename: from the model's name of a tensor to the file's.

        Raises:
            CheckpointError: a tensor is missing, unknown or of another shape; the message names it.
        """
        wanted = {name: (rename(name), tensor) for name, tensor in model.state_dict().items()}
        shapes = {theirs: tuple(tensor.shape) for theirs, tensor in wanted.values()}
        if faults := find_faults(shapes, self.tensors, tolerated):
            raise self.refuse("; ".join(faults))
        found = {ours: self.tensors[theirs] for ours, (theirs, _) in wanted.items() if theirs in self.tensors}
        model.load_state_dict(found, strict=False)
        model.eval()


def find_faults(
    shapes: Mapping[str, tuple[int, ...]], tensors: Mapping[str, Tensor], tolerated: tuple[str, ...]
) -> list[str]:
    """Say what is missing, unknown and of another shape, names of the file in each clause."""
    missing = sorted(name for name in shapes.keys() - tensors.keys() if not name.endswith(tolerated))
    unknown = sorted(name for name in tensors.keys() - shapes.keys() if not name.endswith(tolerated))
    other = [
        f"{name} {tuple(tensors[name].shape)} instead of {shapes[name]}"
        for name in sorted(shapes.keys() & tensors.keys())
        if tuple(tensors[name].shape) != shapes[name]
    ]
    clauses = (("missing", missing), ("unknown", unknown), ("other shapes:", other))
    return [f"{word} {listed(names)}" for word, names in clauses if names]
