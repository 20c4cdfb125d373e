"""Sizes of a ResNet with bottlenecks -> the model, its tensors named as in torchvision's files; for inference only.

torchvision itself is not a dependency: its wheels are tied to one build of torch each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everyone gives it

from inference.baselines.published.layout import StateFile

EXPANSION: Final = 4
STAGES: Final = 4


@dataclass(frozen=True, slots=True)
class ResNetSizes:
    """What makes one ResNet differ from another; ResNet-50 has width 64, depths (3, 4, 6, 3) and 1000 outputs.

    Attributes:
        width: channels of the stem; the last stage has 32 times as many.
        depths: bottlenecks in each of the four stages.
        outputs: width of the final layer `fc`.
        bias: whether `fc` has a bias.
    """

    width: int
    depths: tuple[int, ...]
    outputs: int
    bias: bool

    @property
    def features(self) -> int:
        """Channels of the last stage."""
        return self.width * EXPANSION << (STAGES - 1)


def resnet_sizes(file: StateFile, prefix: str, *, bias: bool) -> ResNetSizes:
    """Read the sizes of the ResNet under a prefix off the shapes of its tensors."""
    width, *_ = file.shape(f"{prefix}conv1.weight", 4)
    depths = tuple(file.depth(f"{prefix}layer{stage}.") for stage in range(1, STAGES + 1))
    outputs, _ = file.shape(f"{prefix}fc.weight", 2)
    return ResNetSizes(width, depths, outputs, bias)


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolution around a shortcut; the 3x3 one has the stride, as in torchvision's version 1.5."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = width * EXPANSION
        self.conv1, self.bn1 = nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
        self.downsample: nn.Module | None = None
        if stride != 1 or inputs != outputs:
            shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(outputs))

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, 4 width, H / stride, W / stride)."""
        inner = F.relu(self.bn1(self.conv1(features)))
        inner = F.relu(self.bn2(self.conv2(inner)))
        shortcut = features if self.downsample is None else self.downsample(features)
        return F.relu(self.bn3(self.conv3(inner)) + shortcut)


class ResNet(nn.Module):
    """The whole network; BioViL reads its last map, MedCLIP its `fc`."""

    def __init__(self, sizes: ResNetSizes) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, sizes.width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(sizes.width)
        inputs = sizes.width
        for stage, depth in enumerate(sizes.depths):
            width = sizes.width * 2**stage
            first = Bottleneck(inputs, width, stride=1 if stage == 0 else 2)
            inputs = width * EXPANSION
            rest = (Bottleneck(inputs, width, stride=1) for _ in range(depth - 1))
            self.add_module(f"layer{stage + 1}", nn.Sequential(first, *rest))
        self.fc = nn.Linear(inputs, sizes.outputs, bias=sizes.bias)

    def features(self, images: Tensor) -> Tensor:
        """Map images (B, 3, H, W) to (B, 32 width, H/32, W/32)."""
        maps = F.max_pool2d(F.relu(self.bn1(self.conv1(images))), 3, 2, 1)
        for stage in range(1, STAGES + 1):
            maps = self.get_submodule(f"layer{stage}")(maps)
        return maps

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, 3, H, W) to (B, outputs)."""
        outputs: Tensor = self.fc(self.features(images).mean((2, 3)))
        return outputs
