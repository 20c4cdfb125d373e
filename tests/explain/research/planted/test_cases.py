from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from explain.research.planted.cases import Ground, plant
from fhir_adapter.record import Modality
from inference.checkpoint import Checkpoint
from inference.contract import MODALITIES, Tensor

ARRAYS = {"image": {Tensor.IMAGE}, "text": {Tensor.TOKENS}, "structured": {Tensor.VALUES}}


@pytest.mark.parametrize("modality", MODALITIES)
def test_only_its_own_modality_is_changed(modality: Modality, ground: Ground, checkpoint: Checkpoint) -> None:
    """Film, note or measurements: what is not planted in is the same whatever is planted elsewhere."""
    planted = plant(modality, ground, checkpoint.tokenizer, 1)
    others = [plant(other, ground, checkpoint.tokenizer, 1) for other in MODALITIES if other != modality]
    differ = {
        name for name, array in planted.inputs.items() for other in others if not (other.inputs[name] == array).all()
    }
    kept = set(planted.inputs) - set().union(*ARRAYS.values())

    assert ARRAYS[modality] <= differ
    assert not kept & differ


def test_label_knows_nothing_of_the_film_and_its_patient(ground: Ground, checkpoint: Checkpoint) -> None:
    """With other films, of other classes, and other notes and values around them, the kinds are the same."""
    other = Ground(ground.films[::-1], ground.pixels[::-1], "test")
    one, two = (plant("text", films, checkpoint.tokenizer, 1) for films in (ground, other))

    assert [film.label for film in ground.films] != [film.label for film in other.films]
    assert (one.kinds == two.kinds).all()


def test_kinds_and_classes_are_independent(ground: Ground, checkpoint: Checkpoint) -> None:
    """Over many cases each class of films has each kind as often as any other, to chance."""
    tables = np.zeros((3, 3))
    labels = np.array([film.label for film in ground.films])
    for draw in range(60):
        np.add.at(tables, (labels, plant("structured", ground, checkpoint.tokenizer, draw).kinds), 1)
    shares = tables / tables.sum(1, keepdims=True)

    assert np.abs(shares[labels.min() : labels.max() + 1] - 1 / 3).max() < 0.12


def test_another_draw_is_another_plant(ground: Ground, checkpoint: Checkpoint) -> None:
    """The same film is learnt from more than once, with the mark elsewhere."""
    one, two = (plant("image", ground, checkpoint.tokenizer, draw) for draw in (1, 2))

    assert not (one.boxes == two.boxes).all()
    assert (one.boxes == plant("image", ground, checkpoint.tokenizer, 1).boxes).all()


def test_everything_is_there_to_point_wrongly_at(ground: Ground, checkpoint: Checkpoint) -> None:
    """Every case has a film, a note and every measurement."""
    inputs = plant("structured", ground, checkpoint.tokenizer, 1).inputs

    assert all(inputs[name].all() for name in (Tensor.IMAGE_PRESENT, Tensor.TEXT_PRESENT, Tensor.VALUE_PRESENT))


def test_cases_are_laid_out_for_the_methods(ground: Ground, checkpoint: Checkpoint) -> None:
    """What methods of explanation take has the planted pixels and the words of the planted note."""
    planted = plant("image", ground, checkpoint.tokenizer, 1).pick(np.array([2, 5]))
    cases = planted.cases(checkpoint.tokenizer)

    assert len(cases) == 2
    assert (cases.batch.image.numpy() == planted.inputs[Tensor.IMAGE]).all()
    assert replace(planted, notes=()).patients == cases.patients
