"""Answer -> why: gradient-weighted relevance of the fusion's attention, and integrated effects of its queries.

Relevance: rules 5, 6 and 10 of Chefer et al., "Generic attention-model explainability" (ICCV 2021). The image never
attends to the text in the CATM, so no other rule is needed. The encoders run forward only: relevance is that of their
output tokens.

Effects: integrated gradients (Sundararajan et al. 2017) of the answer's log-odds, from learned absent tokens to those
of the chart. The slope at the chart alone says next to nothing, since the model is flat where it is sure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from inference.contract import SLOTS, SUBSETS
from inference.model.fusion import CrossAttentionFusion, Deltas, FusionOutput
from inference.model.mllm import Batch, Encoded, MultimodalModel

STEPS: Final = 5
_POINTS, _SHARES = np.polynomial.legendre.leggauss(STEPS)
NODES: Final = ((1 + _POINTS) / 2).tolist()
WEIGHTS: Final = (_SHARES / 2).tolist()
"""Gauss-Legendre nodes and weights on 0..1."""

Gradients = tuple[Tensor, Sequence[Tensor], Sequence[Tensor]]
"""Gradients of the score: at the queries (B, Q, D), at each self map, at each cross map."""


@dataclass(frozen=True, slots=True)
class Explained:
    """The tensors of `inference.contract.OUTPUT_NAMES`, in their order."""

    logits: Tensor
    subset_logits: Tensor
    image_relevance: Tensor
    text_relevance: Tensor
    text_effect: Tensor
    value_effect: Tensor
    image_feature: Tensor
    entity_logits: Tensor

    def in_order(self) -> tuple[Tensor, ...]:
        """Return the outputs as the graph gives them."""
        return tuple(getattr(self, name) for name in self.__dataclass_fields__)


def pick_answer(logits: Tensor) -> Tensor:
    """Return the most probable diagnosis of each patient, one-hot (B, classes), from logits (B, classes)."""
    return (logits == logits.amax(-1, keepdim=True)).float()


def score_answer(logits: Tensor, answer: Tensor) -> Tensor:
    """Sum over patients of the log-odds of `answer` (B, classes), one-hot, against all other diagnoses."""
    others = logits.masked_fill(answer > 0, -1e4)
    return ((logits * answer).sum(-1) - others.logsumexp(-1)).sum()


@dataclass(frozen=True, slots=True)
class Path:
    """The fusion's inputs at the chart itself (the first B rows) and at each of `STEPS` points towards its absence.

    Attributes:
        queries: ((1 + STEPS) B, Q, D), moved on a straight line from the absent tokens to those of the chart.
        image: the memory, repeated.
        bias: repeated.
        answer: one-hot answer of the chart, repeated.
        change: (B, Q, D), the queries of the chart less the absent ones.
    """

    queries: Tensor
    image: Tensor
    bias: Tensor
    answer: Tensor
    change: Tensor


def draw_path(model: MultimodalModel, encoded: Encoded, logits: Tensor) -> Path:
    """Lay the path of integrated gradients from absent note and measurements to the chart."""
    present = model.fusion.join(encoded.text, encoded.structured)
    absent = model.fusion.join(
        torch.zeros_like(encoded.text) + model.fusion.absent_text,
        torch.zeros_like(encoded.structured) + model.structured.absent,
    )
    change = present - absent
    rows = 1 + STEPS
    return Path(
        torch.cat([present, *[absent + node * change for node in NODES]]),
        torch.cat([encoded.image] * rows),
        torch.cat([encoded.bias] * rows),
        torch.cat([pick_answer(logits)] * rows),
        change,
    )


def integrate(slopes: Tensor, change: Tensor) -> Tensor:
    """Return the effect of each query (B, Q): the mean slope along the path times the change (B, Q, D).

    Args:
        slopes: gradient of the score at the queries of a `Path`, ((1 + STEPS) B, Q, D).
        change: as the `Path` has it.
    """
    along = slopes.view(1 + STEPS, -1, slopes.shape[1], slopes.shape[2])[1:]
    weights = torch.tensor(WEIGHTS, dtype=slopes.dtype).view(-1, 1, 1, 1)
    return ((along * weights).sum(0) * change).sum(-1)


def zero_deltas(queries: Tensor, image: Tensor, fusion: CrossAttentionFusion) -> Deltas:
    """Make the zeros whose gradients are the relevance: their batch follows queries (B, Q, D) and image (B, P, D)."""
    blocks, heads = len(fusion.blocks), fusion.heads
    batch, length, patches = queries.shape[0], queries.shape[1], image.shape[1]
    return Deltas(
        torch.zeros_like(queries),
        [queries.new_zeros(batch, heads, length, length) for _ in range(blocks)],
        [queries.new_zeros(batch, heads, length, patches) for _ in range(blocks)],
    )


def propagate(output: FusionOutput, gradients: Gradients) -> tuple[Tensor, Tensor]:
    """Carry relevance through the fusion: of each query (B, Q) and each patch (B, P) for the answer."""
    queries = output.self_maps[0].shape[-1]
    among = torch.eye(queries).expand(output.self_maps[0].shape[0], -1, -1)  # R_tt
    onto_image = torch.zeros_like(output.cross_maps[0][:, 0])  # R_ti
    identity = torch.eye(queries)
    for self_map, cross_map, self_slope, cross_slope in zip(
        output.self_maps, output.cross_maps, gradients[1], gradients[2], strict=True
    ):
        mixed = (self_slope * self_map).relu().mean(1)  # rule 5
        among, onto_image = among + mixed @ among, onto_image + mixed @ onto_image  # rule 6
        spread = among - identity
        total = spread.sum(-1, keepdim=True)
        spread = spread / torch.where(total > 0, total, torch.ones_like(total)) + identity  # equations 8 and 9
        onto_image = onto_image + spread.transpose(-1, -2) @ (cross_slope * cross_map).relu().mean(1)  # rule 10
    return among[:, 0] - identity[0], onto_image[:, 0]


def answer_subsets(model: MultimodalModel, encoded: Encoded) -> Tensor:
    """Answer each subset of the modalities: logits (B, 8, classes), rows as `SUBSETS`; the last is the answer itself.

    Without a note the queries are only 2 + slots long, which makes four of the eight almost free.
    """
    fusion = model.fusion
    no_image = torch.zeros_like(encoded.image) + fusion.absent_image
    no_values = torch.zeros_like(encoded.structured) + model.structured.absent
    no_text = torch.zeros_like(encoded.text[:, :1]) + fusion.absent_text
    short_bias = torch.zeros_like(encoded.bias[..., : 2 + SLOTS])
    rows: dict[int, Tensor] = {}
    for has_text in (False, True):
        numbers = [number for number, kept in enumerate(SUBSETS) if kept[1] == has_text]
        queries, images = [], []
        for number in numbers:
            keeps_image, _, keeps_values = SUBSETS[number]
            text = encoded.text if has_text else no_text
            queries.append(fusion.join(text, encoded.structured if keeps_values else no_values))
            images.append(encoded.image if keeps_image else no_image)
        bias = encoded.bias if has_text else short_bias
        answers = fusion(torch.cat(queries), torch.cat(images), torch.cat([bias] * len(numbers))).logits
        rows |= dict(zip(numbers, answers.view(len(numbers), -1, answers.shape[-1]), strict=True))
    return torch.stack([rows[number] for number in range(len(SUBSETS))], 1)


def explain_answer(
    model: MultimodalModel, batch: Batch, subsets: Tensor, path: Path, passed: tuple[FusionOutput, Gradients]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Put together relevance and effects, from one forward and backward pass of the fusion along a path.

    Returns:
        image relevance (B, P), text relevance (B, N), text effect (B, N) and value effect (B, slots).
    """
    patients = subsets.shape[0]
    output, gradients = passed
    here = FusionOutput(
        output.logits[:patients],
        tuple(attention[:patients] for attention in output.self_maps),
        tuple(attention[:patients] for attention in output.cross_maps),
    )
    slopes = (
        gradients[0],
        [slope[:patients] for slope in gradients[1]],
        [slope[:patients] for slope in gradients[2]],
    )
    of_query, of_patch = propagate(here, slopes)
    effect = integrate(gradients[0], path.change)
    words = (batch.tokens != 0).float() * batch.text_present
    notes = slice(1, 1 + batch.tokens.shape[1])
    return (
        of_patch * batch.image_present,
        of_query[:, notes] * words,
        effect[:, notes] * words,
        effect[:, -SLOTS:] * batch.value_present,
    )


def run_and_explain(model: MultimodalModel, batch: Batch) -> Explained:
    """Answer and explain by PyTorch's autograd: the reference that the exported graph is held against."""
    with torch.no_grad():
        encoded = model.encode(batch)
        subsets = answer_subsets(model, encoded)
        path = draw_path(model, encoded, subsets[:, -1])
    deltas = zero_deltas(path.queries, path.image, model.fusion)
    wanted = [deltas.queries, *deltas.self_maps, *deltas.cross_maps]
    with torch.enable_grad():
        for delta in wanted:
            delta.requires_grad_()
        output = model.fusion(path.queries, path.image, path.bias, deltas)
        slopes = torch.autograd.grad(score_answer(output.logits, path.answer), wanted)
    blocks = len(deltas.self_maps)
    gradients: Gradients = (slopes[0], slopes[1 : 1 + blocks], slopes[1 + blocks :])
    fixed = FusionOutput(
        output.logits.detach(),
        tuple(attention.detach() for attention in output.self_maps),
        tuple(attention.detach() for attention in output.cross_maps),
    )
    with torch.no_grad():
        reasons = explain_answer(model, batch, subsets, path, (fixed, gradients))
        entities = model.tag_entities(batch, encoded)
    return Explained(subsets[:, -1], subsets, *reasons, encoded.feature, entities)
