"""Radiograph -> a map of features at one sixteenth of its size: the convolutional half of the image encoder.

The layout is that of EfficientNet-Lite0 (Tan and Le 2019; Lite: no squeeze-and-excitation, ReLU6) up to stride 16, with
each batch normalisation folded into the convolution before it: a batch of one gives the same map, the exported graph is
plain, and differential privacy stays valid. A Vision Transformer on such a stem is the "hybrid" of Dosovitskiy et al.
2021, section 3.1: a few thousand films are enough for it, where the plain cut into patches needs millions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from torch import Tensor, nn

STEM_WIDTH: Final = 112
"""Channels of the map."""
FIRST_WIDTH: Final = 32


@dataclass(frozen=True, slots=True)
class Layer:
    """One inverted residual block: kernel side, stride, channels in and out, and how much wider it is inside."""

    kernel: int
    stride: int
    before: int
    after: int
    expand: int


LAYERS: Final = (
    Layer(3, 1, 32, 16, 1),
    Layer(3, 2, 16, 24, 6),
    Layer(3, 1, 24, 24, 6),
    Layer(5, 2, 24, 40, 6),
    Layer(5, 1, 40, 40, 6),
    Layer(3, 2, 40, 80, 6),
    Layer(3, 1, 80, 80, 6),
    Layer(3, 1, 80, 80, 6),
    Layer(5, 1, 80, 112, 6),
    Layer(5, 1, 112, 112, 6),
    Layer(5, 1, 112, 112, 6),
)


def start(module: nn.Module) -> None:
    """Draw weights that keep the spread of what passes (He et al. 2015): without a normalisation nothing else does."""
    for convolution in module.modules():
        if isinstance(convolution, nn.Conv2d):
            narrows = convolution.out_channels < convolution.in_channels
            nn.init.kaiming_normal_(convolution.weight, nonlinearity="linear" if narrows else "relu")
            nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]


class InvertedResidual(nn.Module):
    """Widen by 1 x 1, filter each channel, narrow by 1 x 1; added to the input where the shapes allow it."""

    def __init__(self, layer: Layer) -> None:
        super().__init__()
        width = layer.before * layer.expand
        steps: list[nn.Module] = [nn.Conv2d(layer.before, width, 1), nn.ReLU6()] if layer.expand > 1 else []
        steps += [
            nn.Conv2d(width, width, layer.kernel, layer.stride, padding=layer.kernel // 2, groups=width),
            nn.ReLU6(),
            nn.Conv2d(width, layer.after, 1),
        ]
        self.steps = nn.Sequential(*steps)
        self.adds = layer.stride == 1 and layer.before == layer.after
        start(self)

    def forward(self, features: Tensor) -> Tensor:
        """Filter features (B, before, H, W) into (B, after, H / stride, W / stride)."""
        filtered: Tensor = self.steps(features)
        return features + filtered if self.adds else filtered


class ConvolutionalStem(nn.Module):
    """Grey images to feature maps of `STEM_WIDTH` channels, each side divided by 16."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, FIRST_WIDTH, 3, 2, padding=1)
        start(self)
        self.layers = nn.ModuleList(InvertedResidual(layer) for layer in LAYERS)

    def forward(self, image: Tensor) -> Tensor:
        """Map images (B, 1, S, S) in 0..1 to (B, STEM_WIDTH, S/16, S/16)."""
        # The grey range EfficientNet-Lite was trained in: (v - 127) / 128 of 0..255.
        features = nn.functional.relu6(self.first((image - 127 / 255) * (255 / 128)))
        for layer in self.layers:
            features = layer(features)
        return features
