"""A model and planted cases -> a copy of it for which the plant decides.

What reads the modality learns together with the fusion; everything else stays, the convolutional stem of the image
encoder too, so that each film passes through it once.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from explain.research.passes import compact
from explain.research.planted.cases import Ground, Planted, plain
from fhir_adapter.record import Modality
from inference.model.mllm import MultimodalModel
from inference.training.batching import in_batches
from inference.training.cases import CaseTensors
from inference.training.compare.maps import read_maps, read_tokens
from inference.training.optimise import Optimiser
from inference.training.progress import Progress
from inference.training.recipe import Stage

LEARNT: Final[Mapping[Modality, tuple[str, ...]]] = {
    "image": ("image.project.", "image.norm", "image.position", "image.blocks.", "fusion."),
    "text": ("text.", "fusion."),
    "structured": ("structured.", "fusion."),
}
"""Weights that learn, by how their names begin."""
BATCH: Final = 32


@dataclass(frozen=True, slots=True)
class Lesson:
    """N planted cases as far as the parts that do not learn have read them.

    Attributes:
        seen: the films: maps of the stem (N, C, G, G) where film marks are planted, tokens (N, P, width) elsewhere.
        cases: notes and measurements.
        kinds: the labels, (N,).
    """

    seen: Tensor
    cases: CaseTensors
    kinds: Tensor

    def __len__(self) -> int:
        return len(self.kinds)


def read_films(model: MultimodalModel, ground: Ground) -> Tensor:
    """Return the tokens (N, P, width) of films in which nothing is planted."""
    encoder = compact(model)
    return read_tokens(encoder, read_maps(encoder, torch.from_numpy(plain(ground.pixels))[:, None]))


def lesson_of(model: MultimodalModel, planted: Sequence[Planted], seen: Tensor | None) -> Lesson:
    """Read planted cases of the same films as far as nothing will learn.

    Args:
        model: it reads planted films up to the map of its stem.
        planted: one or more plants in the same films.
        seen: tokens of these films where nothing is planted in them.
    """
    seen = read_maps(compact(model), joined(planted, "image")) if seen is None else seen.repeat(len(planted), 1, 1)
    cases = CaseTensors(*(joined(planted, name) for name in CaseTensors.__dataclass_fields__))
    return Lesson(seen, cases, torch.from_numpy(np.concatenate([part.kinds for part in planted])))


def joined(planted: Sequence[Planted], name: str) -> Tensor:
    """Return one of the graph's inputs of all plants."""
    return torch.cat([torch.from_numpy(part.inputs[name]) for part in planted])


def logits_of(model: MultimodalModel, modality: Modality, lesson: Lesson, index: Tensor) -> Tensor:
    """Return the logits (B, classes) of the cases at `index` (B,)."""
    seen = lesson.seen[index]
    tokens = compact(model).from_map(seen) if modality == "image" else seen
    batch = lesson.cases.pick(index).trimmed().as_batch(torch.ones(len(index), 1))
    logits: Tensor = model(batch, tokens).logits
    return logits


def accuracy(model: MultimodalModel, modality: Modality, lesson: Lesson) -> float:
    """Return the share of cases whose kind is the likeliest answer."""
    with torch.no_grad():
        found = [
            logits_of(model, modality, lesson, part).argmax(-1) for part in in_batches(torch.arange(len(lesson)), BATCH)
        ]
    return float((torch.cat(found) == lesson.kinds).float().mean())


def tune(
    model: MultimodalModel,
    modality: Modality,
    lessons: tuple[Lesson, Lesson],
    stage: Stage,
    enough: float,
    progress: Progress,
) -> MultimodalModel:
    """Teach a copy of a model the planted label; returns its averaged weights.

    Args:
        model: stays as it is.
        modality: in which something is planted.
        lessons: to learn from, and of other patients to stop by.
        stage: epochs at the most, and the optimisation.
        enough: accuracy on the second lesson at which learning stops.
        progress: is told the accuracy after each epoch.
    """
    learnt, held = lessons
    torch.manual_seed(0)
    taught = copy.deepcopy(model).train()
    for name, weight in taught.named_parameters():
        weight.requires_grad_(name.startswith(LEARNT[modality]))
    steps = stage.epochs * (len(learnt) // stage.batch)
    optimiser = Optimiser(taught, stage, max(steps, 1))
    for epoch in range(stage.epochs):
        order = torch.from_numpy(np.random.default_rng(epoch).permutation(len(learnt)))
        for index in in_batches(order, stage.batch, whole=True):
            # The fused kernel's way back is ten times slower in bfloat16 on a CPU than plain matrices are.
            with optimiser.place.autocast(), sdpa_kernel(SDPBackend.MATH):
                logits = logits_of(taught, modality, learnt, index)
            optimiser.step(nn.functional.cross_entropy(logits.float(), learnt.kinds[index]))
            progress.step(f"planted {modality}", optimiser.step_number, steps)
        right = accuracy(optimiser.averaged, modality, held)
        progress.say(f"planted {modality}: epoch {epoch + 1}, accuracy on validation films {right:.3f}")
        if right >= enough:
            progress.step(f"planted {modality}", steps, steps)
            break
    return optimiser.averaged
