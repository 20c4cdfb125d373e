from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from explain.research.cases import NO_WORD, Cases, blur, trimmed
from explain.research.variants import Subject
from inference.model.mllm import Batch, MultimodalModel
from tests.inference.model.conftest import batch, model

__all__ = ["batch", "model"]


@pytest.fixture
def cases(batch: Batch) -> Cases:
    """Three cases, the last without a note; words of two pieces each, behind a frame that stays."""
    batch = trimmed(replace(batch, tokens=batch.tokens[:, :40], text_present=torch.tensor([[1.0], [1.0], [0.0]])))
    batch.value_present[0, 5:] = 0
    places = (torch.arange(batch.tokens.shape[1]) - 1) // 2
    words = torch.where((batch.tokens != 0) & (torch.arange(batch.tokens.shape[1]) > 0), places, NO_WORD)
    return Cases(batch, blur(batch.image), words, int(words.max()) + 1, ("a", "b", "c"), (0, 1, 2))


@pytest.fixture
def subject(model: MultimodalModel, cases: Cases) -> Subject:
    """The cases before a small model with random weights."""
    return Subject.of(model.requires_grad_(requires_grad=False), cases, [1.0, 1.0, 1.0])
