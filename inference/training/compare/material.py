"""Training films -> the batches every compared system gets: the same views, the same cases, in the same order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from inference.training.batching import in_batches
from inference.training.cases import CaseTensors, tensors_of
from inference.training.compare.budget import Budget
from inference.training.compare.maps import draw_maps, read_maps, read_tokens
from inference.training.compare.systems import Ground
from inference.training.data.films import Film, Split, load_pixels
from inference.training.encode_cases import cases_of
from inference.training.recipe import Stage

SAMPLE = 256
"""Films from which the deviation of maps is taken."""


@dataclass(frozen=True, slots=True)
class Step:
    """One batch: what is seen, maps (B, C, G, G) or tokens (B, P, width), the cases, and labels (B,)."""

    seen: Tensor
    cases: CaseTensors
    labels: Tensor


@dataclass(slots=True)
class Material:
    """Everything that is trained on, kept in memory from one system to the next.

    Attributes:
        ground: what the systems stand on.
        budget: how much there is of everything.
        films: of the training split.
        maps: one tensor (N, C, G, G) a view, half precision.
        held: the films of the validation split with their maps, only ever reported on.
        tokens: the same views through the checkpoint's transformer, made when first asked for.
        cases: the simulated draws of each seed.
    """

    ground: Ground
    budget: Budget
    films: Sequence[Film]
    maps: tuple[Tensor, ...]
    held: tuple[Sequence[Film], Tensor]
    tokens: tuple[Tensor, ...] = ()
    cases: dict[tuple[int, int], CaseTensors] = field(default_factory=dict)

    @property
    def labels(self) -> Tensor:
        """Labels (N,) of the training films."""
        return torch.tensor([film.label for film in self.films])

    def views(self, *, tokens: bool) -> tuple[Tensor, ...]:
        """Return what is seen of the films, one tensor a view."""
        if not tokens:
            return self.maps
        if not self.tokens:
            self.tokens = tuple(read_tokens(self.ground.encoder, view) for view in self.maps)
        return self.tokens

    def draw(self, seed: int, epoch: int) -> CaseTensors:
        """Return the cases around the training films for one epoch, drawn once for all systems."""
        key = (seed, epoch % self.budget.draws)
        if key not in self.cases:
            drawn = cases_of(self.films, seed, grammar="train", draw=key[1] + 1, complete=self.budget.complete)
            self.cases[key] = tensors_of(drawn, self.ground.tokenizer)
        return self.cases[key]


def gather(ground: Ground, budget: Budget, films: Sequence[Film]) -> Material:
    """Load training and validation split of a folder's films and run the stem over them, once for all seeds."""

    def take(split: Split) -> tuple[list[Film], Tensor]:
        chosen = [film for film in films if film.split == split]
        return chosen, torch.from_numpy(load_pixels(chosen)).unsqueeze(1)

    (train, pixels), (held, held_pixels) = take("train"), take("validation")
    generator = torch.Generator().manual_seed(0)
    encoder = ground.encoder
    maps = tuple(draw_maps(encoder, pixels, budget.augmentation, generator) for _ in range(budget.views))
    return Material(ground, budget, train, maps, (held, read_maps(encoder, held_pixels.float() / 255)))


def spread_of(view: Tensor) -> Tensor:
    """Return the deviation of maps (N, C, G, G), (C, 1, 1), or of tokens (N, P, width), (width,)."""
    sample = view[:SAMPLE].float()
    return sample.std((0, 2, 3))[:, None, None] if sample.dim() == 4 else sample.std((0, 1))


def hide_pieces(tokens: Tensor, share: float, tokenizer: Tokenizer, generator: torch.Generator) -> Tensor:
    """Replace a share of the word pieces (B, N) by `[MASK]`; the frame and the padding stay."""
    pieces = tokenizer.get_vocab()
    mask = pieces.get("[MASK]", pieces["[UNK]"])
    frame = torch.tensor([pieces[name] for name in ("[PAD]", "[CLS]", "[SEP]")])
    hidden = (torch.rand(tokens.shape, generator=generator) < share) & ~torch.isin(tokens, frame)
    return tokens.masked_fill(hidden, mask)


def steps_of(material: Material, stage: Stage, seed: int, *, tokens: bool, written: bool) -> Iterator[Step]:
    """Yield the batches of a stage; the same for every system of a seed.

    Args:
        material: what is trained on.
        stage: how many epochs, and how many films a batch.
        seed: of order, noise and cases.
        tokens: whether image tokens are seen, not maps.
        written: whether only cases with a note are taken, for who learns from pairs.
    """
    budget, generator = material.budget, torch.Generator().manual_seed(seed)
    views, labels = material.views(tokens=tokens), material.labels
    spread = spread_of(views[0]) * budget.map_noise
    for epoch in range(stage.epochs):
        cases, view = material.draw(seed, epoch), views[epoch % len(views)]
        order = torch.from_numpy(np.random.default_rng([seed, epoch]).permutation(len(labels)))
        order = order[cases.text_present[order, 0] > 0] if written else order
        for index in in_batches(order, stage.batch, whole=True):
            seen = view[index].float()
            picked = cases.pick(index)
            hidden = hide_pieces(picked.tokens, budget.drop_piece, material.ground.tokenizer, generator)
            yield Step(
                seen + torch.randn(seen.shape, generator=generator) * spread,
                replace(picked, tokens=hidden).trimmed(),
                labels[index],
            )
