from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from inference.contract import OUTPUT_NAMES, SUBSETS
from inference.model import relevance
from inference.model.mllm import Batch, MultimodalModel
from inference.model.relevance import Explained, draw_path, pick_answer, run_and_explain, score_answer

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


def test_effects_are_what_the_change_did(model: MultimodalModel, batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a note that fills every place and fine steps, the effects add up to the change of the log-odds."""
    points, shares = np.polynomial.legendre.leggauss(40)
    monkeypatch.setattr(relevance, "STEPS", 40)
    monkeypatch.setattr(relevance, "NODES", ((1 + points) / 2).tolist())
    monkeypatch.setattr(relevance, "WEIGHTS", (shares / 2).tolist())
    longest = Batch(*(getattr(batch, name)[2:] for name in Batch.__dataclass_fields__))
    with torch.no_grad():
        encoded = model.encode(longest)
        path = draw_path(model, encoded, model(longest).logits)
        absent = path.queries[:1] - path.change
        before = score_answer(model.fusion(absent, encoded.image, encoded.bias).logits, path.answer[:1])
        after = score_answer(model(longest).logits, path.answer[:1])

    explained = run_and_explain(model, longest)

    total = explained.text_effect.sum() + explained.value_effect.sum()
    assert total.item() == pytest.approx((after - before).item(), abs=1e-3)


def test_sign_of_an_effect_is_that_of_leaving_the_value_out(model: MultimodalModel, batch: Batch) -> None:
    """The measurement with the largest effect moves the answer the same way when it is taken away."""
    explained = run_and_explain(model, batch)
    place = int(explained.value_effect[0].abs().argmax())
    without = replace(batch, value_present=batch.value_present.clone())
    without.value_present[0, place] = 0
    answer = pick_answer(explained.logits)[:1]

    lost = score_answer(explained.logits[:1], answer) - score_answer(model(without).logits[:1].detach(), answer)

    assert lost.sign() == explained.value_effect[0, place].sign()


def test_score_is_the_log_odds_of_the_answer() -> None:
    """For two classes the score of a patient is the difference of the logits; a batch adds up."""
    logits = torch.tensor([[2.0, -1.0], [0.5, 4.0]])

    assert score_answer(logits, pick_answer(logits)).item() == pytest.approx(3.0 + 3.5)
