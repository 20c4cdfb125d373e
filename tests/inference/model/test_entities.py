from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from inference.entities import TAGS
from inference.model.config import ModelConfig
from inference.model.entities import EntityHead
from inference.model.mllm import Batch, MultimodalModel


@pytest.fixture
def head() -> EntityHead:
    torch.manual_seed(0)
    return EntityHead(50, 16).eval()


def made(*tokens: int) -> tuple[Tensor, Tensor]:
    """Return states and word-piece ids of one note."""
    generator = torch.Generator().manual_seed(1)
    return torch.randn(1, len(tokens), 16, generator=generator), torch.tensor([tokens])


def test_one_row_of_tags_a_word_piece(head: EntityHead) -> None:
    """States (B, N, width) become tags (B, N, TAGS)."""
    assert head(torch.randn(3, 7, 16), torch.randint(1, 50, (3, 7))).shape == (3, 7, TAGS)


def test_padding_changes_no_tag(head: EntityHead) -> None:
    """What stands behind the end of a note has no part in the tags of its words."""
    states, tokens = made(1, 2, 3, 0, 0)
    other = torch.cat([states[:, :3], torch.randn(1, 2, 16)], 1)

    assert torch.allclose(head(states, tokens)[:, :3], head(other, tokens)[:, :3], atol=1e-6)


def test_order_changes_a_tag(head: EntityHead) -> None:
    """`no cough` and `cough no` are not the same: a term is read with what stands before and behind it."""
    states, tokens = made(1, 2, 3, 4)
    turned = torch.tensor([1, 0, 2, 3])

    assert (head(states, tokens) - head(states[:, turned], tokens[:, turned]))[:, 3].abs().max() > 1e-4


def test_word_and_state_both_count(head: EntityHead) -> None:
    """The head reads the word piece itself, and what the encoder made of it."""
    states, tokens = made(1, 2, 3, 4)
    before = head(states, tokens)

    assert not torch.allclose(before, head(states, tokens + 7))
    assert not torch.allclose(before, head(states + torch.randn(1, 1, 16), tokens))


def test_head_is_small() -> None:
    """Beside the shipped text encoder it has under a quarter of a million weights."""
    config = ModelConfig()
    head = EntityHead(config.vocabulary, config.text_width)

    assert sum(parameter.numel() for parameter in head.parameters()) < 250_000


def test_only_words_that_are_there_are_tagged(model: MultimodalModel, batch: Batch) -> None:
    """Padding has no tags, and neither has the note of a patient who has none."""
    batch = replace(batch, text_present=torch.tensor([[1.0], [1.0], [0.0]]))
    with torch.no_grad():
        tags = model.tag_entities(batch, model.encode(batch))

    assert torch.equal(tags.abs().sum(-1) > 0, (batch.tokens > 0) & (batch.text_present > 0))


def test_tags_have_no_part_in_the_answer(model: MultimodalModel, batch: Batch) -> None:
    """Another head gives the same probabilities: naming what stands in a note is no diagnosis."""
    kept = {name: tensor.clone() for name, tensor in model.entities.state_dict().items()}
    with torch.no_grad():
        before = model(batch).logits
        for parameter in model.entities.parameters():
            parameter.add_(1.0)
        after = model(batch).logits
    model.entities.load_state_dict(kept)

    assert torch.equal(before, after)
