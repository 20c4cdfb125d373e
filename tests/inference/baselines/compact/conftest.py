from __future__ import annotations

import pytest
import torch
from torch import Tensor

from inference.baselines.compact.sizes import Sizes

SIZES = Sizes(channels=6, grid=4, vocabulary=40, text_tokens=12, classes=3, width=16, heads=2, pieces=8, joint=8)


@pytest.fixture
def maps() -> Tensor:
    """Five maps of noise."""
    return torch.randn(5, SIZES.channels, SIZES.grid, SIZES.grid, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def tokens() -> Tensor:
    """Five notes of different length, framed as the tokenizer does: [CLS] = 2, [SEP] = 3, padding 0."""
    made = torch.randint(5, SIZES.vocabulary, (5, SIZES.text_tokens), generator=torch.Generator().manual_seed(1))
    made[:, 0] = 2
    for row, length in enumerate((4, 6, 8, 10, SIZES.text_tokens)):
        made[row, length - 1], made[row, length:] = 3, 0
    return made
