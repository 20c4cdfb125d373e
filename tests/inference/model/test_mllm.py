from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from inference.contract import CLASSES, PATCHES, SLOTS, TEXT_TOKENS
from inference.model.config import ModelConfig
from inference.model.image import ImageEncoder
from inference.model.mllm import Batch, MultimodalModel

QUERIES = 1 + TEXT_TOKENS + SLOTS


def test_logits_and_maps_have_the_contract_s_shapes(model: MultimodalModel, batch: Batch) -> None:
    """Three patients give three rows of logits, and each block a self map and a cross map; the last has one row."""
    output = model(batch)

    assert output.logits.shape == (3, CLASSES)
    assert [tuple(one.shape[-2:]) for one in output.self_maps] == [(QUERIES, QUERIES), (1, QUERIES)]
    assert [tuple(one.shape[-2:]) for one in output.cross_maps] == [(QUERIES, PATCHES), (1, PATCHES)]


def test_a_batch_answers_as_its_patients_alone(model: MultimodalModel, batch: Batch) -> None:
    """Who else is in the batch changes nothing."""
    alone = [Batch(*(tensor[row : row + 1] for tensor in vars_of(batch))) for row in range(3)]

    together = model(batch).logits

    assert torch.allclose(together, torch.cat([model(one).logits for one in alone]), atol=1e-5)


@pytest.mark.parametrize(
    ("present", "content"), [("image_present", "image"), ("text_present", "tokens"), ("value_present", "values")]
)
def test_content_of_an_absent_modality_is_never_read(
    model: MultimodalModel, batch: Batch, present: str, content: str
) -> None:
    """What stands in an array whose mask is 0 cannot change the answer."""
    absent = replace(batch, **{present: torch.zeros_like(getattr(batch, present))})
    other = replace(absent, **{content: torch.zeros_like(getattr(batch, content))})

    assert torch.allclose(model(absent).logits, model(other).logits, atol=1e-6)
    assert not torch.allclose(model(absent).logits, model(batch).logits, atol=1e-3)


def test_padding_of_a_note_is_never_attended(model: MultimodalModel, batch: Batch) -> None:
    """No query looks at a padded word piece."""
    first = model(batch).self_maps[0][0]  # 20 word pieces, the rest is padding

    assert first[:, :, 21 : 1 + TEXT_TOKENS].max() == 0
    assert torch.allclose(first.sum(-1), torch.ones(first.shape[:2]), atol=1e-5)


def test_every_part_learns(model: MultimodalModel, batch: Batch) -> None:
    """With everything present or absent somewhere in the batch, each parameter gets a gradient."""
    masked = replace(
        batch,
        image_present=torch.tensor([[1.0], [1.0], [0.0]]),
        text_present=torch.tensor([[1.0], [0.0], [1.0]]),
        value_present=torch.stack([torch.zeros(SLOTS), torch.ones(SLOTS), torch.ones(SLOTS)]),
    )
    model.zero_grad()
    model(masked).logits.square().sum().backward()

    silent = [name for name, one in model.named_parameters() if one.grad is None or not one.grad.any()]

    # The bias of keys shifts all scores of a query alike, which softmax does not see. The entity head has no part in
    # the answer.
    assert [name for name in silent if not name.endswith("key.bias") and not name.startswith("entities.")] == []


def test_another_patch_size_is_refused() -> None:
    """The convolutional stem has one stride; a configuration that asks for another is an error, not a surprise."""
    with pytest.raises(ValueError, match="16 pixels"):
        ImageEncoder(ModelConfig(patch=8))


def vars_of(batch: Batch) -> list[torch.Tensor]:
    return [getattr(batch, name) for name in Batch.__dataclass_fields__]
