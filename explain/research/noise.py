"""A case -> the same case with a little noise on all of it: a map that changes much then is not to be relied on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

import torch
from torch import Tensor, nn

from explain.research.variants import Subject

DRAWS: Final = 3
ON_FILM: Final = 0.02
"""Deviation of the noise on a film's grey, 0..1."""
ON_VALUES: Final = 0.05
"""The same on standardised values: a twentieth of how far patients lie apart."""
ON_WORDS: Final = 0.05
"""The same on the embeddings of word pieces, as a share of their own deviation: a word has no small change."""


def disturb(subject: Subject, draw: int) -> Subject:
    """Return the cases with noise on films, word embeddings and values; the diagnosis that is explained stays.

    Args:
        subject: N cases.
        draw: another number is other noise of the same strength.
    """
    generator, batch = torch.Generator().manual_seed(draw), subject.cases.batch
    image = (batch.image + ON_FILM * torch.randn(batch.image.shape, generator=generator)).clamp(0, 1)
    shift = ON_VALUES * torch.randn(batch.values.shape, generator=generator)
    cases = replace(subject.cases, batch=replace(batch, image=image, values=batch.values + shift * batch.value_present))
    with noisy_embedding(subject.model.text.embed, generator):
        return Subject.of(subject.model, cases, subject.temperatures, subject.answers)


@contextmanager
def noisy_embedding(embed: nn.Module | Tensor, generator: torch.Generator) -> Iterator[None]:
    """Add noise to what an embedding gives while the context is open."""

    def add(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor:
        return output + ON_WORDS * output.std() * torch.randn(output.shape, generator=generator)

    if not isinstance(embed, nn.Module):
        raise TypeError("the text encoder has no embedding: check a compact checkpoint")
    handle = embed.register_forward_hook(add)
    try:
        yield
    finally:
        handle.remove()
