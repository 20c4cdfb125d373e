from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from inference.checkpoint import Checkpoint
from inference.contract import GRID
from inference.model.config import ModelConfig
from inference.model.image import ImageEncoder
from inference.model.mllm import MultimodalModel
from inference.training.compare.budget import Budget, read_budget
from inference.training.compare.systems import Ground
from inference.training.data.films import Film, read_folder
from tests.inference.model.conftest import SMALL

WIDTH = 12


class PoolingEncoder(ImageEncoder):
    """A stem that only pools: what the systems learn about stripes is learnt after it."""

    stem_width = 4

    def __init__(self, config: ModelConfig) -> None:
        nn.Module.__init__(self)
        self.first = nn.Conv2d(1, self.stem_width, 1)
        self.last = nn.Linear(self.stem_width, config.image_width)

    def stem_map(self, image: Tensor) -> Tensor:
        """Map images (B, 1, S, S) to (B, C, G, G)."""
        features: Tensor = self.first(nn.functional.adaptive_avg_pool2d(image, GRID))
        return features

    def from_map(self, features: Tensor) -> Tensor:
        """Turn a map (B, C, G, G) into tokens (B, P, width)."""
        tokens: Tensor = self.last(features.flatten(2).transpose(1, 2))
        return tokens


def stripes(label: int, rng: np.random.Generator) -> np.ndarray:
    """A dark film with none, two or four bright stripes: their number tells the class."""
    pixels = rng.integers(40, 90, (48, 48), dtype=np.uint8)
    for stripe in range(2 * label):
        pixels[:, 10 * stripe : 10 * stripe + 8] += 120
    return pixels


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 striped films, named as the paediatric set names its own."""
    path, rng = tmp_path_factory.mktemp("striped"), np.random.default_rng(0)
    for number in range(40):
        names = (
            f"NORMAL/IM-{number:04d}-0001",
            f"PNEUMONIA/person{number}_bacteria_1",
            f"PNEUMONIA/person{number}_virus_2",
        )
        for label, name in enumerate(names):
            file = path / f"{name}.jpeg"
            file.parent.mkdir(exist_ok=True)
            Image.fromarray(stripes(label, rng)).save(file)
    return path


@pytest.fixture(scope="session")
def films(folder: Path) -> list[Film]:
    return read_folder(folder)


@pytest.fixture(scope="session")
def budget() -> Budget:
    """A few passes over small batches."""
    whole = read_budget()
    passes = replace(whole.passes, epochs=3, batch=16, rate=3e-3, average=0.8)
    probe = replace(whole.probe, epochs=10, batch=16, rate=3e-2, average=0.8)
    return replace(whole, views=2, draws=2, passes=passes, probe=probe)


@pytest.fixture(scope="session")
def ground(tiny: Checkpoint) -> Ground:
    """A small model with an encoder of the interface that compared systems need."""
    torch.manual_seed(0)
    config = replace(SMALL, vocabulary=8 * -(-tiny.tokenizer.get_vocab_size() // 8))
    model = MultimodalModel(config)
    model.image = PoolingEncoder(config)
    return Ground(model.eval().requires_grad_(requires_grad=False), tiny.tokenizer, "a" * 64)
