from __future__ import annotations

import torch
from torch import Tensor
from transformers import ResNetConfig, ResNetModel

from inference.baselines.published.resnet import ResNet, ResNetSizes
from tests.inference.baselines.published import layouts
from tests.inference.baselines.published.small import DEPTHS, filled

SIZES = ResNetSizes(8, DEPTHS, 10, bias=True)


def to_hugging_face(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Give torchvision's tensors the names that transformers has for them."""
    renamed = {}
    for name, tensor in state.items():
        parts = name.split(".")
        if parts[0].startswith("layer"):
            place = f"encoder.stages.{int(parts[0][5:]) - 1}.layers.{parts[1]}"
            inner = "shortcut" if parts[2] == "downsample" else f"layer.{int(parts[2][-1]) - 1}"
            kind = (
                {"0": "convolution", "1": "normalization"}[parts[3]] if parts[2] == "downsample" else kind_of(parts[2])
            )
        else:
            place, inner, kind = "embedder", "embedder", kind_of(parts[0])
        renamed[f"{place}.{inner}.{kind}.{parts[-1]}"] = tensor
    return renamed


def kind_of(part: str) -> str:
    return "convolution" if part.startswith("conv") else "normalization"


@torch.inference_mode()
def test_features_agree_with_the_resnet_of_transformers() -> None:
    """Our ResNet and an independent one give the same last map from the same weights."""
    state = filled(layouts.resnet(width=8, depths=DEPTHS))
    config = ResNetConfig(embedding_size=8, hidden_sizes=[32, 64, 128, 256], depths=list(DEPTHS))
    other, ours = ResNetModel(config), ResNet(SIZES).eval()
    other.train(mode=False)
    other.load_state_dict(to_hugging_face(state))
    ours.load_state_dict(state, strict=False)
    images = torch.randn(2, 3, 65, 96, generator=torch.Generator().manual_seed(1))

    expected = other(images).last_hidden_state

    assert expected.shape == (2, SIZES.features, 3, 3)
    assert torch.allclose(expected, ours.features(images), rtol=1e-4, atol=1e-4)
    assert expected.std() > 0.1


@torch.inference_mode()
def test_outputs_are_the_mean_of_the_map_through_fc() -> None:
    """MedCLIP reads `fc`, which sees the mean over all places."""
    ours = ResNet(SIZES).eval()
    images = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))

    expected = ours.features(images).mean((2, 3)) @ ours.fc.weight.T + ours.fc.bias

    assert torch.allclose(expected, ours(images), atol=1e-6)
