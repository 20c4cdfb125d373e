from __future__ import annotations

import numpy as np
import torch

from explain.research.noise import ON_FILM, disturb
from explain.research.variants import Subject


def test_noise_is_small_and_on_all_of_a_case(subject: Subject) -> None:
    """Film, words and values all move a little; absent values stay absent, the diagnosis stays."""
    noisy = disturb(subject, 0)
    film = (noisy.cases.batch.image - subject.cases.batch.image).abs()

    assert 0 < film.mean() < ON_FILM
    assert not torch.equal(noisy.encoded.text, subject.encoded.text)
    assert torch.equal(noisy.cases.batch.values[0, 5:], subject.cases.batch.values[0, 5:])
    assert noisy.answers.tolist() == subject.answers.tolist()


def test_noise_does_not_stay_in_the_model(subject: Subject) -> None:
    """Whoever asks afterwards gets the plain embedding."""
    disturb(subject, 0)
    again = Subject.of(subject.model, subject.cases, subject.temperatures)

    assert np.array_equal(again.encoded.text.numpy(), subject.encoded.text.numpy())


def test_draws_differ_and_repeat(subject: Subject) -> None:
    """Another draw is other noise, the same draw the same."""
    one, same, other = (disturb(subject, draw).cases.batch.values for draw in (0, 0, 1))

    assert torch.equal(one, same)
    assert not torch.equal(one, other)
