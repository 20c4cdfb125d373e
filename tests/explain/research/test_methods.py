from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from explain.research import methods
from explain.research.cases import Cases
from explain.research.methods import (
    DEAR,
    METHODS,
    Look,
    attended,
    by_word,
    cam,
    carry,
    draw_maps,
    grad_cam,
    left_out,
    roll,
)
from explain.research.passes import pass_back, score, see_through
from explain.research.variants import Subject
from fhir_adapter.record import Modality
from inference.contract import PATCHES, SLOTS
from inference.model.relevance import run_and_explain


def looked(subject: Subject) -> Look:
    """The pass through the fusion of the three cases."""
    return Look(subject, pass_back(subject.model, subject.encoded, torch.from_numpy(subject.answers)))


@pytest.mark.parametrize("modality", list(METHODS))
def test_every_method_gives_a_number_for_each_part(subject: Subject, modality: Modality) -> None:
    """All methods have one form: cases in, a finite map of the modality's parts out."""
    few = subject.pick(slice(1))
    shape = few.cases.there(modality).shape

    for maps in draw_maps(few, METHODS[modality]).values():
        assert maps.shape == shape
        assert np.isfinite(maps).all()


def test_cheap_maps_are_those_of_the_graph(subject: Subject) -> None:
    """Relevance and effects are what the exported graph gives for the likeliest diagnosis."""
    given = run_and_explain(subject.model, subject.cases.batch)
    image = draw_maps(subject, {"m": METHODS["image"]["relevance"]})["m"]
    values = draw_maps(subject, {"m": METHODS["structured"]["left_out_without_note"]})["m"]

    assert image == pytest.approx(given.image_relevance.numpy(), abs=1e-6)
    assert values[:, :5] == pytest.approx(given.value_effect.numpy()[:, :5], abs=1e-6)


def test_another_diagnosis_has_another_map(subject: Subject) -> None:
    """What speaks for one diagnosis is not what speaks for the next."""
    other = replace(subject, answers=(subject.answers + 1) % 3)
    method = {"m": METHODS["structured"]["attention_x_gradient"]}

    assert not np.allclose(draw_maps(subject, method)["m"], draw_maps(other, method)["m"])


def test_log_odds_are_against_all_others() -> None:
    """For three classes: the logit less the logarithm of the sum of the others' exponentials, added over cases."""
    logits = torch.tensor([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])

    assert score(logits, torch.tensor([2, 0])).item() == pytest.approx(
        3 - np.log(np.exp(1) + np.exp(2)) - np.log(2), abs=1e-5
    )


def test_cam_weighs_channels_by_their_mean_gradient() -> None:
    """Two patches, two channels, by hand; what speaks against the answer is cut off at 0."""
    memory = torch.tensor([[[1.0, 2.0], [3.0, -1.0]]])
    gradient = torch.tensor([[[2.0, 0.0], [0.0, -2.0]]])  # means: 1 and -1

    assert cam(memory, gradient).tolist() == [[0.0, 4.0]]


def test_gradient_at_the_memory_is_not_zero(subject: Subject) -> None:
    """Patches are keys of the fusion, so the last layer has a gradient, unlike a head on a class token."""
    passed = looked(subject).passed

    assert passed.memory_gradient.abs().sum((1, 2)).min() > 0
    assert grad_cam(looked(subject)).shape == (3, PATCHES)


def test_attention_is_read_in_the_row_of_the_question() -> None:
    """Mean over heads of the first row, summed over blocks, whatever rows follow it."""
    first = torch.tensor([[[[0.2, 0.8], [0.5, 0.5]], [[0.4, 0.6], [0.5, 0.5]]]])
    last = torch.tensor([[[[1.0, 0.0]], [[0.0, 1.0]]]])

    assert attended([first, last])[0].tolist() == pytest.approx([0.3 + 0.5, 0.7 + 0.5])


def test_rollout_multiplies_what_passes() -> None:
    """Two equal blocks that swap two tokens: half passes by each, so half of all comes back."""
    swap = torch.tensor([[[[0.0, 1.0], [1.0, 0.0]]]])

    assert roll([swap, swap])[0].tolist() == [[0.5, 0.5], [0.5, 0.5]]


def test_relevance_is_carried_by_what_has_a_gradient() -> None:
    """A block whose attention does not matter leaves relevance where it is; one that does spreads it."""
    swap, still = torch.tensor([[[[0.0, 1.0], [1.0, 0.0]]]]), torch.zeros(1, 1, 2, 2)

    assert carry([swap], [still])[0].tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert carry([swap], [swap])[0].tolist() == [[1.0, 1.0], [1.0, 1.0]]


def test_pass_through_the_encoder_gives_the_same_score(subject: Subject) -> None:
    """The encoder taken to pieces is the encoder: its maps are rows of attention, its stem has gradients."""
    answers = torch.from_numpy(subject.answers)
    through = see_through(subject.model, subject.cases.batch.image, subject.encoded, answers)

    assert torch.allclose(through.maps[0].sum(-1), torch.ones(()), atol=1e-5)
    assert through.stem_gradient.abs().sum() > 0


def test_pieces_are_added_up_to_words(cases: Cases) -> None:
    """Each word of the note has two pieces; the frame belongs to none."""
    found = by_word(cases, torch.ones(cases.words.shape))

    assert found[0, 0] == 2
    assert found.sum() == (cases.words >= 0).sum()


def test_leaving_out_is_the_fall_of_the_answer(subject: Subject) -> None:
    """The map of leaving out says for each part what the answer loses without it."""
    there = subject.cases.there("structured")
    kept = there.copy()
    kept[:, 3] = False

    assert left_out(looked(subject), "structured")[:, 3] == pytest.approx(subject.values(there) - subject.values(kept))


def test_shapley_values_add_up(subject: Subject) -> None:
    """All of the structured inputs together are worth what their values add up to; absent ones are worth nothing."""
    one = subject.pick(slice(1))
    shares = draw_maps(one, {"m": METHODS["structured"]["shapley"]})["m"][0]
    whole, empty = one.values_of_first(np.array([[True] * SLOTS, [False] * SLOTS]))

    assert shares.sum() == pytest.approx(whole - empty, abs=1e-6)
    assert not shares[5:].any()


def test_covering_shares_a_fall_among_its_window(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where covering patches 0 and 1 costs 0.4 and 1 and 2 costs 0.2, the middle one has the mean of both."""
    taken = np.zeros((3, PATCHES), bool)
    taken[0, :2], taken[1, 1:3], taken[2, 3:] = True, True, True
    monkeypatch.setattr(methods, "windows", lambda: taken)
    weights = np.zeros(PATCHES)
    weights[0], weights[1], weights[2] = 0.3, 0.1, 0.1
    monkeypatch.setattr(Subject, "film", lambda _, kept: kept @ weights)

    assert methods.covering(looked(subject))[0, :4].tolist() == pytest.approx([0.4, 0.3, 0.2, 0.0])


def test_random_map_is_the_same_for_the_same_case(subject: Subject) -> None:
    """A control does not depend on which other cases are looked at."""
    method = {"random": METHODS["image"]["random"]}
    alone = draw_maps(subject.pick(slice(1, 2)), method)["random"][0]

    assert draw_maps(subject, method)["random"][1].tolist() == alone.tolist()
    assert "random" not in DEAR
