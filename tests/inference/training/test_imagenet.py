from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from inference.manifest import CheckpointError
from inference.model.stem import FIRST_WIDTH, LAYERS, ConvolutionalStem
from inference.training.imagenet import BATCH_NORM_EPSILON, load_imagenet

NORMS = ("weight", "bias", "running_mean", "running_var")


def norm(prefix: str, width: int) -> dict[str, Tensor]:
    """A batch normalisation with every number drawn."""
    return {f"{prefix}{name}": torch.rand(width) + 0.5 for name in NORMS}


def published_state() -> dict[str, Tensor]:
    """A state dict of the package's layout, with small random weights."""
    torch.manual_seed(0)
    state = {"_conv_stem.weight": torch.randn(FIRST_WIDTH, 3, 3, 3) * 0.1, **norm("_bn0.", FIRST_WIDTH)}
    for number, layer in enumerate(LAYERS):
        prefix, wide = f"_blocks.{number}.", layer.before * layer.expand
        if layer.expand > 1:
            state |= {f"{prefix}_expand_conv.weight": torch.randn(wide, layer.before, 1, 1) * 0.1}
            state |= norm(f"{prefix}_bn0.", wide)
        state |= {f"{prefix}_depthwise_conv.weight": torch.randn(wide, 1, layer.kernel, layer.kernel) * 0.1}
        state |= {f"{prefix}_project_conv.weight": torch.randn(layer.after, wide, 1, 1) * 0.1}
        state |= norm(f"{prefix}_bn1.", wide) | norm(f"{prefix}_bn2.", layer.after)
    return state


def write(state: dict[str, Tensor], folder: Path) -> Path:
    torch.save(state, folder / "weights.pth")
    return folder / "weights.pth"


def test_folded_convolution_equals_convolution_and_normalisation(tmp_path: Path) -> None:
    """What was a convolution of a grey picture in three channels, then a batch normalisation, is one convolution."""
    state, stem = published_state(), ConvolutionalStem()
    load_imagenet(stem, write(state, tmp_path))
    grey = torch.rand(2, 1, 16, 16)
    plain = nn.functional.conv2d(grey.expand(-1, 3, -1, -1), state["_conv_stem.weight"], stride=2, padding=1)
    normed = nn.functional.batch_norm(
        plain, state["_bn0.running_mean"], state["_bn0.running_var"], state["_bn0.weight"], state["_bn0.bias"],
        eps=BATCH_NORM_EPSILON,
    )  # fmt: skip

    assert torch.allclose(stem.first(grey), normed, atol=1e-5)


def test_every_weight_of_the_stem_is_replaced(tmp_path: Path) -> None:
    """No convolution is left with the numbers it was made with."""
    stem = ConvolutionalStem()
    before = {name: value.clone() for name, value in stem.state_dict().items()}
    load_imagenet(stem, write(published_state(), tmp_path))

    assert not any(torch.equal(value, before[name]) for name, value in stem.state_dict().items())


@pytest.mark.parametrize("missing", ["_conv_stem.weight", "_blocks.3._bn1.running_var"])
def test_file_of_another_network_is_refused(tmp_path: Path, missing: str) -> None:
    """A missing weight is named, with what to install."""
    state = published_state()
    del state[missing]

    with pytest.raises(CheckpointError, match="is missing; install"):
        load_imagenet(ConvolutionalStem(), write(state, tmp_path))


def test_weights_of_another_width_are_refused(tmp_path: Path) -> None:
    """A wider network's weights do not slip in."""
    state = published_state()
    state["_blocks.0._project_conv.weight"] = torch.randn(24, 32, 1, 1)
    state |= norm("_blocks.0._bn2.", 24)

    with pytest.raises(CheckpointError, match="do not fit"):
        load_imagenet(ConvolutionalStem(), write(state, tmp_path))
