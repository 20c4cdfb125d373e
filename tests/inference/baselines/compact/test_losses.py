from __future__ import annotations

import math

import pytest
import torch

from inference.baselines.compact.losses import semantic_matching, symmetric_contrastive

ONE = torch.tensor(1.0)


def test_contrastive_loss_of_orthogonal_pairs_has_a_closed_form() -> None:
    """Own pair at cosine 1 and the two others at 0, scale s: log(1 + 2 exp(-s))."""
    pairs, scale = torch.eye(3), torch.tensor(2.0)

    assert symmetric_contrastive(pairs, pairs, scale).item() == pytest.approx(math.log(1 + 2 * math.exp(-2)))


def test_contrastive_loss_of_embeddings_all_alike_is_chance() -> None:
    """Who cannot tell N pairs apart pays log N."""
    same = torch.ones(4, 1)

    assert symmetric_contrastive(same, same, ONE).item() == pytest.approx(math.log(4))


def test_contrastive_loss_asks_both_ways() -> None:
    """Films and notes may change places."""
    image, text = torch.randn(2, 5, 8).unbind()

    assert symmetric_contrastive(image, text, ONE).item() == pytest.approx(
        symmetric_contrastive(text, image, ONE).item(), rel=1e-5
    )


def test_semantic_loss_is_the_cross_entropy_to_the_softmax_of_likeness() -> None:
    """Two cases of different classes: targets e / (e + 1) and 1 / (e + 1), scores 1 and 0."""
    pairs, share = torch.eye(2), math.e / (math.e + 1)
    expected = -share * math.log(share) - (1 - share) * math.log(1 - share)

    assert semantic_matching(pairs, pairs, ONE, torch.tensor([0, 1])).item() == pytest.approx(expected, rel=1e-5)


def test_semantic_loss_does_not_mind_whose_note_it_is() -> None:
    """Notes of one class may be exchanged among its patients: that is what decouples pairs."""
    image, text = torch.randn(2, 4, 8).unbind()
    labels = torch.tensor([0, 0, 1, 1])

    exchanged = semantic_matching(image, text[[1, 0, 3, 2]], ONE, labels)

    assert exchanged.item() == pytest.approx(semantic_matching(image, text, ONE, labels).item(), rel=1e-5)
