from __future__ import annotations

import pytest
import torch

from inference.contract import SLOTS, TEXT_TOKENS
from inference.model.config import ModelConfig
from inference.model.mllm import Batch, MultimodalModel

SMALL = ModelConfig(
    image_width=32, image_depth=1, image_heads=2, vocabulary=64, text_width=16, text_depth=1, text_heads=2,
    fusion_width=16, fusion_depth=2, fusion_heads=2, dropout=0.0,
)  # fmt: skip


@pytest.fixture(scope="session")
def model() -> MultimodalModel:
    """A small model with random weights, large enough that its answers differ from one another."""
    torch.manual_seed(3)
    made = MultimodalModel(SMALL).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return made


@pytest.fixture
def batch() -> Batch:
    """Three patients with everything present and notes of different length."""
    generator = torch.Generator().manual_seed(5)
    tokens = torch.randint(5, 64, (3, TEXT_TOKENS), generator=generator)
    for row, length in enumerate((20, 60, TEXT_TOKENS)):
        tokens[row, length:] = 0
    return Batch(
        image=torch.rand(3, 1, SMALL.image_size, SMALL.image_size, generator=generator),
        image_present=torch.ones(3, 1),
        tokens=tokens,
        text_present=torch.ones(3, 1),
        values=torch.randn(3, SLOTS, generator=generator),
        value_present=torch.ones(3, SLOTS),
        value_age=torch.rand(3, SLOTS, generator=generator),
    )
