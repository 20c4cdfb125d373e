from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from inference.contract import PATCHES, SLOTS
from inference.model.mllm import Batch, MultimodalModel
from inference.training.losses import (
    Alignment,
    Answered,
    LossWeights,
    alignment_loss,
    attention_on_image,
    comprehensiveness_loss,
    erase,
    extra_terms,
    sparsity_loss,
)
from tests.inference.model.conftest import SMALL

LABELS = torch.tensor([0, 1, 2])
AXES = torch.eye(3)


def answer(model: MultimodalModel, batch: Batch) -> Answered:
    encoded = model.encode(batch)
    queries = model.fusion.join(encoded.text, encoded.structured)
    output = model.fusion(queries, encoded.image, encoded.bias)
    return Answered(encoded, output, queries, LABELS, batch.image_present, batch.text_present)


def test_alignment_of_perfect_pairs_is_closed_form() -> None:
    """With each film on its own axis, the loss is the log-sum-exp of one 1 and two 0 over the temperature."""
    expected = math.log(math.exp(1 / 0.5) + 2) - 1 / 0.5

    assert alignment_loss(AXES, AXES, LABELS, 0.5).item() == pytest.approx(expected, abs=1e-6)


def test_case_of_the_same_diagnosis_is_no_counter_example() -> None:
    """Where all others share the diagnosis, nothing is left to tell the pair apart from."""
    assert alignment_loss(AXES, AXES.flip(0), torch.zeros(3, dtype=torch.long), 0.5).item() == pytest.approx(
        0, abs=1e-6
    )


@pytest.mark.parametrize(
    ("attention", "expected"),
    [(torch.full((2, PATCHES), 1 / PATCHES), 1.0), (torch.eye(PATCHES)[:2], 0.0)],
    ids=["even", "one point"],
)
def test_sparsity_is_the_share_of_the_largest_entropy(attention: Tensor, expected: float) -> None:
    """Attention spread evenly costs 1, attention on one patch nothing."""
    assert sparsity_loss(attention).item() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [(0.9, 0.9, 0.3), (0.9, 0.7, 0.1), (0.9, 0.2, 0.0), (0.2, 0.2, 0.2), (0.2, 0.0, 0.0)],
)
def test_hinge_asks_the_probability_to_fall_by_the_margin(before: float, after: float, expected: float) -> None:
    """It falls short by what is missing to the margin, or to 0 where there was less than the margin."""

    def logits(share: float) -> Tensor:
        return torch.tensor([[share, 1 - share]]).clamp(min=1e-9).log()

    found = comprehensiveness_loss(logits(before), logits(after), torch.tensor([0]), 0.3)

    assert found.item() == pytest.approx(expected, abs=1e-5)


def test_erasing_takes_the_most_attended_patch_wholly() -> None:
    """The patch attended most becomes the absent token, one without attention stays as it is."""
    memory, absent = torch.ones(1, 3, 2), torch.zeros(1, 1, 2)
    faded = erase(memory, torch.tensor([[0.6, 0.3, 0.0]]), absent)

    assert torch.allclose(faded[0, :, 0], torch.tensor([0.0, 0.5, 1.0]))


def test_attention_on_image_is_a_distribution(model: MultimodalModel, batch: Batch) -> None:
    """What the question attends to sums to 1 over the film."""
    attention = attention_on_image(answer(model, batch).output)

    assert attention.shape == (3, PATCHES)
    assert torch.allclose(attention.sum(-1), torch.ones(3), atol=1e-5)


@pytest.mark.parametrize("term", ["contrastive", "comprehensiveness", "sparsity"])
def test_each_term_moves_the_parts_it_is_about(batch: Batch, term: str) -> None:
    """The gradient of each term reaches fusion and image projection, and alignment also the text encoder."""
    torch.manual_seed(0)
    model = MultimodalModel(SMALL)
    alignment = Alignment(SMALL.fusion_width)
    weights = replace(LossWeights(), **{term: 1.0})
    extra_terms(answer(model, batch), model.fusion, alignment, weights).backward()  # type: ignore[no-untyped-call]
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}

    reached = ["fusion.from_image.0.weight"] + (["text.embed.weight"] if term == "contrastive" else [])
    assert all((found := gradients[name]) is not None and found.abs().sum() > 0 for name in reached)


def test_terms_of_weight_nought_cost_nothing(model: MultimodalModel, batch: Batch) -> None:
    """Switched off, the loss is cross-entropy alone."""
    assert extra_terms(answer(model, batch), model.fusion, None, LossWeights()).item() == 0


def test_rows_without_a_film_have_no_part(model: MultimodalModel, batch: Batch) -> None:
    """A batch of charts without films gives no term that needs one."""
    bare = replace(batch, image_present=torch.zeros(3, 1), value_present=torch.ones(3, SLOTS))
    weights = LossWeights(contrastive=1, comprehensiveness=1, sparsity=1)

    assert extra_terms(answer(model, bare), model.fusion, Alignment(SMALL.fusion_width), weights).item() == 0
