from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from explain.research.cases import NO_WORD, Cases, word_places
from explain.research.variants import Subject, delete
from fhir_adapter.record import Modality
from inference.calibrate import probabilities
from inference.contract import PATCHES
from inference.model.mllm import Batch

MODALITIES: list[Modality] = ["image", "text", "structured"]


def said(subject: Subject, batch: Batch) -> object:
    """What the whole model says of the diagnoses that are explained."""
    with torch.no_grad():
        shares = probabilities(subject.model(batch).logits.numpy(), 1.0)
    return pytest.approx(shares[np.arange(3), subject.answers], abs=1e-6)


@pytest.mark.parametrize("modality", MODALITIES)
def test_with_everything_kept_it_is_the_answer(subject: Subject, modality: Modality) -> None:
    """Taking nothing away changes nothing."""
    there = subject.cases.there(modality)

    assert subject.ask(modality)(there) == said(subject, subject.cases.batch)


def test_nothing_of_the_film_is_the_blurred_film(subject: Subject) -> None:
    """With no patch kept the model sees what the cover looks like."""
    blurred = replace(subject.cases.batch, image=subject.cases.blurred)

    assert subject.film(np.zeros((3, PATCHES), bool)) == said(subject, blurred)


def test_no_word_is_no_note(subject: Subject) -> None:
    """A note of which every word is deleted is an absent one."""
    batch = replace(subject.cases.batch, text_present=torch.zeros(3, 1))

    assert subject.note(np.zeros((3, subject.cases.width), bool)) == said(subject, batch)


def test_value_that_is_not_kept_is_absent(subject: Subject) -> None:
    """The learned absent token stands in for a value, not a zero."""
    kept = subject.cases.there("structured")
    kept[:, 2] = False
    present = torch.from_numpy(kept).float()

    assert subject.values(kept) == said(subject, replace(subject.cases.batch, value_present=present))


def test_many_variants_of_one_case_are_those_asked_one_by_one(subject: Subject) -> None:
    """The batched question of the Shapley values is the plain one."""
    kept = np.random.default_rng(0).random((5, 14)) < 0.5
    one_by_one = [subject.values(np.repeat(row[None], 3, 0))[0] for row in kept]

    assert subject.values_of_first(kept) == pytest.approx(one_by_one, abs=1e-6)


def test_deleted_words_close_up() -> None:
    """Pieces of a deleted word vanish with no gap; what belongs to no word stays."""
    tokens = torch.tensor([[2, 11, 12, 13, 3, 0]])
    words = torch.tensor([[NO_WORD, 0, 0, 1, NO_WORD, NO_WORD]])

    assert delete(tokens, words, torch.tensor([[False, True]])).tolist() == [[2, 13, 3, 0, 0, 0]]


def test_a_negation_is_one_word() -> None:
    """The words "no wheeze" are taken away together, or the note would say the opposite; punctuation is no word."""
    note = "no wheeze. cough"
    offsets = [(0, 0), (0, 2), (3, 9), (9, 10), (11, 16), (0, 0)]

    assert word_places(note, offsets).tolist() == [NO_WORD, 0, 0, NO_WORD, 1, NO_WORD]


def test_parts_of_an_absent_note_are_not_there(cases: Cases) -> None:
    """The third case has no note, so none of its words can be taken away."""
    assert cases.there("text").any(1).tolist() == [True, True, False]
