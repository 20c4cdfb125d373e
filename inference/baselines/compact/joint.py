"""What CheXzero, MedCLIP and BioViL-T have in common: two towers, one embedding, and a linear probe on it.

All three answer by prompts in their papers ("pneumonia" against "no pneumonia"). That cannot be done here: no simulated
note names the diagnosis, so no tower ever reads the words a prompt would be made of. They are trained on pairs of film
and note as their papers do, and then answer by a linear probe on the joint embedding, fitted on the training split.
That is more than zero-shot gives them, and lets them use a case's own note beside its film.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from inference.baselines.compact.losses import symmetric_contrastive
from inference.baselines.compact.sizes import Sizes

FIRST_SCALE = math.log(1 / 0.07)
"""Logarithm of the inverse temperature at the start, as in CLIP."""
MAX_SCALE = 100.0
LEAST_SPREAD = 1e-6


class JointModel(nn.Module):
    """Two towers that meet in one embedding of width J; subclasses say how each tower looks and reads."""

    centre: Tensor
    spread: Tensor

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(FIRST_SCALE))
        joined = 2 * sizes.joint + 1
        self.probe = nn.Linear(joined, sizes.classes)
        self.register_buffer("centre", torch.zeros(joined))
        self.register_buffer("spread", torch.ones(joined))

    def look(self, maps: Tensor) -> Tensor:
        """Project maps (B, C, G, G) into the embedding (B, J), before it is brought to unit length."""
        raise NotImplementedError

    def read(self, tokens: Tensor) -> Tensor:
        """Project word-piece ids (B, N) into the embedding (B, J), before it is brought to unit length."""
        raise NotImplementedError

    def align(self, image: Tensor, text: Tensor, labels: Tensor) -> Tensor:
        """Return the loss () of embeddings (B, J) of films and their notes; `labels` (B,) for those that use them."""
        del labels
        return symmetric_contrastive(unit(image), unit(text), self.scale())

    def scale(self) -> Tensor:
        """Return the inverse temperature ()."""
        return self.log_scale.exp().clamp(max=MAX_SCALE)

    def embed(self, maps: Tensor, tokens: Tensor, text_present: Tensor) -> Tensor:
        """Join both embeddings with text_present (B, 1): (B, 2 J + 1)."""
        image, text = unit(self.look(maps)), unit(self.read(tokens)) * text_present
        return torch.cat([image, text, text_present], 1)

    def standardise(self, embedding: Tensor) -> Tensor:
        """Bring each number of joint embeddings (B, 2 J + 1) to the scale learnt of the training films."""
        return (embedding - self.centre) / self.spread

    def learn_scale(self, embedding: Tensor) -> None:
        """Take mean and deviation of each number from joint embeddings (N, 2 J + 1).

        A loss may leave classes close together in the embedding: a probe on raw numbers would then hardly move.
        """
        self.centre.copy_(embedding.mean(0))
        spread = embedding.std(0)
        # A number that never varied must not decide alone where it does for the first time.
        self.spread.copy_(torch.where(spread > LEAST_SPREAD, spread, 1))

    def forward(self, maps: Tensor, tokens: Tensor, text_present: Tensor) -> Tensor:
        """Judge maps (B, C, G, G) with notes (B, N), where there is one: logits (B, classes)."""
        logits: Tensor = self.probe(self.standardise(self.embed(maps, tokens, text_present)))
        return logits


def unit(vectors: Tensor) -> Tensor:
    """Bring vectors (B, J) to length 1."""
    return nn.functional.normalize(vectors.float(), dim=-1)
