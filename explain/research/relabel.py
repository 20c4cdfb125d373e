"""A model and films -> the same model taught wrong labels: its maps must not look like those of the right one.

Data randomisation (Adebayo et al. 2018). Fusion and Vision Transformer learn anew, from nothing, on shuffled labels;
the convolutional stem and the encoders of the chart stay, so that the maps of the stem are computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from explain.research.passes import ResearchError, compact
from explain.research.randomise import forget
from inference.model.mllm import MultimodalModel
from inference.training.batching import in_batches
from inference.training.cases import CaseTensors, tensors_of
from inference.training.data.films import Film, load_pixels
from inference.training.encode_cases import cases_of

LEARNT: Final = ("fusion.", "image.project.", "image.norm", "image.position", "image.blocks.")
MOST_FILMS: Final = 384
LEAST_FILMS: Final = 24
"""Fewer films than this teach nothing, wrong or right."""
STEPS: Final = 96
BATCH: Final = 16
RATE: Final = 1e-3


def teach_wrong(
    model: MultimodalModel, films: Sequence[Film], tokenizer: Tokenizer, seed: int, step: Callable[[int], None]
) -> MultimodalModel:
    """Train a copy of a model on shuffled labels, shortly.

    Args:
        model: stays as it is.
        films: up to `MOST_FILMS` of them are learnt from.
        tokenizer: of the notes that are simulated around them.
        seed: of the simulation.
        step: told how many of `STEPS` are done.

    Raises:
        ResearchError: there are too few films.
    """
    if len(films) < LEAST_FILMS:
        raise ResearchError(f"{len(films)} films cannot be learnt from: give a folder with {LEAST_FILMS} or more")
    random = np.random.default_rng(5)
    chosen = [films[int(place)] for place in random.permutation(len(films))[:MOST_FILMS]]
    labels = torch.from_numpy(random.permutation([film.label for film in chosen]))
    cases = tensors_of(cases_of(chosen, seed, grammar="train"), tokenizer).trimmed()
    taught = forget(model, LEARNT)
    maps = stem_maps(taught, chosen)
    trained = [weight.requires_grad_() for name, weight in taught.named_parameters() if name.startswith(LEARNT)]
    adam = torch.optim.AdamW(trained, lr=RATE)
    for done in range(STEPS):
        rows = torch.from_numpy(random.integers(0, len(chosen), BATCH))
        adam.zero_grad()
        nn.functional.cross_entropy(answer(taught, maps[rows], cases.pick(rows)), labels[rows]).backward()  # type: ignore[no-untyped-call]
        adam.step()
        step(done + 1)
    return taught.eval().requires_grad_(requires_grad=False)


def stem_maps(model: MultimodalModel, films: Sequence[Film]) -> Tensor:
    """Return what the convolutional stem makes of films, (N, channels, G, G)."""
    pixels = torch.from_numpy(load_pixels(films))[:, None]
    with torch.no_grad():
        return torch.cat([compact(model).stem_map(part.float() / 255) for part in in_batches(pixels, BATCH)])


def answer(model: MultimodalModel, maps: Tensor, cases: CaseTensors) -> Tensor:
    """Return the logits (B, classes) of maps of the stem (B, channels, G, G) and the cases around them."""
    batch = cases.as_batch(torch.ones(len(maps), 1))
    logits: Tensor = model(batch, compact(model).from_map(maps)).logits
    return logits
