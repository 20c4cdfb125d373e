"""The single-modality systems: a Vision Transformer that reads nothing, and a text encoder that sees nothing."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from inference.baselines.compact.sizes import Sizes
from inference.baselines.compact.towers import TextTower, mean_word
from inference.model.image import ImageEncoder


class ImageOnly(nn.Module):
    """The checkpoint's own image encoder with a linear head on the mean of its tokens.

    The stem stands still, as for every system; the transformer after it is trained on from the checkpoint's weights.
    """

    def __init__(self, encoder: ImageEncoder, sizes: Sizes, width: int) -> None:
        super().__init__()
        self.encoder = copy.deepcopy(encoder)
        after = after_the_stem(self.encoder, sizes)
        for name, parameter in self.encoder.named_parameters():
            parameter.requires_grad = name in after
        self.head = nn.Linear(width, sizes.classes)

    def forward(self, maps: Tensor, tokens: Tensor, text_present: Tensor) -> Tensor:
        """Judge maps (B, C, G, G): logits (B, classes); notes are not read."""
        del tokens, text_present
        logits: Tensor = self.head(self.encoder.from_map(maps).mean(1))
        return logits


def after_the_stem(encoder: ImageEncoder, sizes: Sizes) -> set[str]:
    """Name the weights that tokens depend on once the map is given, however the encoder is built."""
    named = dict(encoder.requires_grad_().named_parameters())
    tokens = encoder.from_map(torch.zeros(1, sizes.channels, sizes.grid, sizes.grid))
    slopes = torch.autograd.grad(tokens.sum(), list(named.values()), allow_unused=True)
    return {name for name, slope in zip(named, slopes, strict=True) if slope is not None}


class TextOnly(nn.Module):
    """A bidirectional text encoder with a linear head; a case without a note gets the class shares of the training."""

    log_prior: Tensor

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.text = TextTower(sizes)
        self.head = nn.Linear(sizes.width, sizes.classes)
        self.register_buffer("log_prior", torch.full((sizes.classes,), 1 / sizes.classes).log())

    def learn_prior(self, labels: Tensor) -> None:
        """Take the class shares from labels (N,)."""
        counts = torch.bincount(labels, minlength=len(self.log_prior)).float()
        self.log_prior.copy_((counts / counts.sum()).clamp(min=1e-6).log())

    def forward(self, maps: Tensor, tokens: Tensor, text_present: Tensor) -> Tensor:
        """Judge notes (B, N): logits (B, classes); films are not seen."""
        del maps
        read = self.head(mean_word(self.text(tokens), tokens))
        logits: Tensor = text_present * read + (1 - text_present) * self.log_prior
        return logits
