from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from inference.contract import OUTPUT_NAMES, SLOTS, SUBSETS
from inference.model.mllm import Batch, MultimodalModel
from inference.model.relevance import Explained, run_and_explain, score_answer, zero_deltas

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


@pytest.mark.parametrize("place", [0, 5, SLOTS - 1])
def test_effect_of_a_value_is_what_the_answer_loses_without_it(
    model: MultimodalModel, batch: Batch, place: int
) -> None:
    """With the note left aside, and the answer the one of the whole chart."""
    explained = run_and_explain(model, batch)
    answer = int(explained.logits[0].argmax())
    unread = replace(batch, text_present=torch.zeros_like(batch.text_present))
    without = replace(unread, value_present=batch.value_present.clone())
    without.value_present[0, place] = 0

    lost = log_odds(model(unread).logits[0], answer) - log_odds(model(without).logits[0], answer)

    assert explained.value_effect[0, place].item() == pytest.approx(lost.item(), abs=1e-5)


def log_odds(logits: torch.Tensor, answer: int) -> torch.Tensor:
    others = torch.cat([logits[:answer], logits[answer + 1 :]])
    return logits[answer] - others.logsumexp(-1)


def test_score_is_the_log_odds_of_the_answer() -> None:
    """For two classes the score of a patient is the difference of the logits; a batch adds up."""
    assert score_answer(torch.tensor([[2.0, -1.0], [0.5, 4.0]])).item() == pytest.approx(3.0 + 3.5)


def test_the_effect_of_a_word_is_the_slope_of_the_answer_along_its_attention(
    model: MultimodalModel, batch: Batch
) -> None:
    """Fading the question's attention to one word by a little lowers the log-odds by that part of its effect."""
    explained, place, little = run_and_explain(model, batch), 3, 1e-2
    with torch.no_grad():
        encoded = model.encode(batch)
        queries = model.fusion.join(encoded.text, encoded.structured)
        whole = model.fusion(queries, encoded.image, encoded.bias)
        deltas = zero_deltas(queries, encoded.image, model.fusion)
        for delta, attention in zip(deltas.self_maps, whole.self_maps, strict=True):
            delta[:, :, 0, 1 + place] = -little * attention[:, :, 0, 1 + place]
        faded = model.fusion(queries, encoded.image, encoded.bias, deltas)

    answer = int(whole.logits[0].argmax())
    fall = log_odds(whole.logits[0], answer) - log_odds(faded.logits[0], answer)

    assert (fall / little).item() == pytest.approx(explained.text_effect[0, place].item(), rel=0.05, abs=1e-4)


def test_relevance_follows_the_published_rules(model: MultimodalModel, batch: Batch) -> None:
    """Rules 5, 6, 8, 9 and 10 with whole matrices give the same relevance, though the last block has only one row."""
    with torch.no_grad():
        encoded = model.encode(batch)
        queries = model.fusion.join(encoded.text, encoded.structured)
    deltas = zero_deltas(queries, encoded.image, model.fusion)
    wanted = [delta.requires_grad_() for delta in (*deltas.self_maps, *deltas.cross_maps)]
    output = model.fusion(queries, encoded.image, encoded.bias, deltas)
    slopes = torch.autograd.grad(score_answer(output.logits), wanted)
    length, patches = queries.shape[1], encoded.image.shape[1]
    among, onto = torch.eye(length).expand(len(queries), -1, -1), torch.zeros(len(queries), length, patches)
    for self_map, cross_map, self_slope, cross_slope in zip(
        output.self_maps, output.cross_maps, slopes[: len(slopes) // 2], slopes[len(slopes) // 2 :], strict=True
    ):
        mixed = torch.zeros(len(queries), length, length)
        mixed[:, : self_map.shape[2]] = (self_map * self_slope).relu().mean(1)
        seen = torch.zeros(len(queries), length, patches)
        seen[:, : cross_map.shape[2]] = (cross_map * cross_slope).relu().mean(1)
        among, onto = among + mixed @ among, onto + mixed @ onto
        spread = among - torch.eye(length)
        rows = torch.nan_to_num(spread / spread.sum(-1, keepdim=True)) + torch.eye(length)
        onto = onto + rows.transpose(-1, -2) @ seen

    found = run_and_explain(model, batch).image_relevance

    assert torch.allclose(found, onto[:, 0].detach() * batch.image_present, atol=1e-7)
