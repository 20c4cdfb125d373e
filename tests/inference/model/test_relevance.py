from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from inference.contract import OUTPUT_NAMES, SUBSETS
from inference.model.mllm import Batch, MultimodalModel
from inference.model.relevance import Explained, run_and_explain, score_answer

MASKED = {0: "image_present", 1: "text_present", 2: "value_present"}


def test_outputs_are_those_of_the_contract_in_its_order() -> None:
    """The graph's outputs and the contract's names are one list."""
    assert tuple(Explained.__dataclass_fields__) == OUTPUT_NAMES


def test_explaining_does_not_change_the_answer(model: MultimodalModel, batch: Batch) -> None:
    """The explained logits are the logits."""
    assert torch.allclose(run_and_explain(model, batch).logits, model(batch).logits, atol=1e-5)


@pytest.mark.parametrize("number", range(len(SUBSETS)))
def test_subset_rows_are_the_answers_with_the_others_masked(model: MultimodalModel, batch: Batch, number: int) -> None:
    """Row k of the subset logits is what the model says when only the modalities of subset k are given."""
    gone = [MASKED[place] for place, kept in enumerate(SUBSETS[number]) if not kept]
    masked = replace(batch, **{name: torch.zeros_like(getattr(batch, name)) for name in gone})

    row = run_and_explain(model, batch).subset_logits[:, number]

    assert torch.allclose(row, model(masked).logits, atol=1e-5)


def test_an_absent_modality_has_no_relevance(model: MultimodalModel, batch: Batch) -> None:
    """What was not there cannot have mattered."""
    absent = {name: torch.zeros_like(getattr(batch, name)) for name in MASKED.values()}
    explained = run_and_explain(model, replace(batch, **absent))

    for one in (explained.image_relevance, explained.text_relevance, explained.text_effect, explained.value_effect):
        assert not one.any()


def test_padding_has_no_relevance(model: MultimodalModel, batch: Batch) -> None:
    """Only word pieces of the note carry relevance and effect."""
    explained = run_and_explain(model, batch)

    assert not explained.text_relevance[0, 20:].any()
    assert not explained.text_effect[0, 20:].any()
    assert explained.text_relevance[0, :20].min() >= 0


def test_value_effects_are_the_slope_of_the_score(model: MultimodalModel, batch: Batch) -> None:
    """The effect of a measurement is the directional derivative of the answer's log-odds along its removal."""
    step = 1e-3
    nearly = replace(batch, value_present=batch.value_present.clone())
    nearly.value_present[0, 4] = 1 - step
    top = model(batch).logits[0].argmax()

    def score(logits: torch.Tensor) -> torch.Tensor:
        others = torch.cat([logits[:top], logits[top + 1 :]])
        return logits[top] - others.logsumexp(0)

    with torch.no_grad():
        slope = (score(model(batch).logits[0].double()) - score(model(nearly).logits[0].double())) / step

    assert run_and_explain(model, batch).value_effect[0, 4].item() == pytest.approx(slope.item(), abs=2e-3, rel=0.05)


def test_score_is_the_log_odds_of_the_most_probable() -> None:
    """For two classes the score of a patient is the difference of the logits; a batch adds up."""
    assert score_answer(torch.tensor([[2.0, -1.0], [0.5, 4.0]])).item() == pytest.approx(3.0 + 3.5)
