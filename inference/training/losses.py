"""The three terms of the paper's loss: diagnosis, alignment of the modalities, explanation; each with its weight.

loss = cross-entropy + contrastive * alignment + comprehensiveness * hinge + sparsity * entropy

A weight of 0 switches a term off, and spares its cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from inference.model.fusion import CrossAttentionFusion, FusionOutput
from inference.model.mllm import Encoded

HARD: Final = -1e4
"""Added to a score that must not count."""


@dataclass(frozen=True, slots=True)
class LossWeights:
    """Weights of the terms beside cross-entropy.

    Attributes:
        contrastive: of the alignment of film and chart in the shared embedding.
        comprehensiveness: of the hinge that asks the answer to fall when the attended patches are taken away.
        sparsity: of the entropy of the attention on the film.
        margin: how far the probability must fall for the hinge to be content, 0..1.
        temperature: of the contrastive scores.
    """

    contrastive: float = 0.0
    comprehensiveness: float = 0.0
    sparsity: float = 0.0
    margin: float = 0.3
    temperature: float = 0.1


class Alignment(nn.Module):
    """Projections of film and chart into the space where they are compared; only training has them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.of_image, self.of_chart = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, encoded: Encoded) -> tuple[Tensor, Tensor]:
        """Return embeddings of unit length (B, D) of the image memory, and of note and measurements."""
        words = (encoded.bias[:, 0, 0, 1 : 1 + encoded.text.shape[1]] > HARD / 2).float()[..., None]
        note = (encoded.text * words).sum(1) / words.sum(1).clamp(min=1)
        chart = note + encoded.structured.mean(1)
        return (
            nn.functional.normalize(self.of_image(encoded.image.mean(1)), dim=-1),
            nn.functional.normalize(self.of_chart(chart), dim=-1),
        )


def alignment_loss(film: Tensor, chart: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """Return the symmetric contrastive loss () of embeddings (B, D), each row's own pair against the others.

    InfoNCE (Radford et al. 2021), but a row of the same diagnosis is no counter-example: two children with the same
    illness may well have exchangeable films and charts. Labels (B,).
    """
    scores = film @ chart.T / temperature
    others = (labels[:, None] == labels[None, :]) & ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    scores = scores.masked_fill(others, HARD)
    own = torch.arange(len(labels), device=labels.device)
    loss: Tensor = (nn.functional.cross_entropy(scores, own) + nn.functional.cross_entropy(scores.T, own)) / 2
    return loss


def attention_on_image(output: FusionOutput) -> Tensor:
    """Return the attention of the question on the patches (B, P), the mean of heads and blocks; rows sum to 1."""
    return torch.stack([cross[:, :, 0].mean(1) for cross in output.cross_maps]).mean(0)


def sparsity_loss(attention: Tensor) -> Tensor:
    """Return the mean entropy () of attention (B, P) as a share of the largest: 1 spread evenly, 0 on a point."""
    entropy = -(attention * attention.clamp(min=1e-9).log()).sum(-1)
    return (entropy / torch.log(torch.tensor(float(attention.shape[-1])))).mean()


def erase(memory: Tensor, attention: Tensor, absent: Tensor) -> Tensor:
    """Fade the patches of memory (B, P, D) towards the absent token (1, 1, D), the most attended (B, P) wholly."""
    weight = (attention / attention.amax(-1, keepdim=True).clamp(min=1e-9))[..., None]
    return memory * (1 - weight) + absent * weight


def comprehensiveness_loss(whole: Tensor, erased: Tensor, labels: Tensor, margin: float) -> Tensor:
    """Return the mean hinge (): by how much the probability of the true class falls short of falling by `margin`.

    Args:
        whole: logits (B, classes) with the whole film.
        erased: logits (B, classes) with the attended patches taken away.
        labels: (B,).
        margin: wanted fall; a class that was less probable than that to begin with need only fall to 0.
    """
    rows = torch.arange(len(labels), device=labels.device)
    before, after = whole.softmax(-1)[rows, labels], erased.softmax(-1)[rows, labels]
    wanted = before.detach().clamp(max=margin)
    return (wanted - (before.detach() - after)).relu().mean()


@dataclass(frozen=True, slots=True)
class Answered:
    """One batch's way through the model: what the terms are computed from. Labels (B,), image_present (B, 1)."""

    encoded: Encoded
    output: FusionOutput
    queries: Tensor
    labels: Tensor
    image_present: Tensor
    chart_present: Tensor


def extra_terms(
    answered: Answered, fusion: CrossAttentionFusion, alignment: Alignment | None, weights: LossWeights
) -> Tensor:
    """Return the weighted sum () of the terms beside cross-entropy, over the rows that have what each term compares."""
    total = answered.output.logits.new_zeros(())
    seen = answered.image_present[:, 0] > 0
    pairs = seen & (answered.chart_present[:, 0] > 0)
    if weights.contrastive and alignment is not None and int(pairs.sum()) > 1:
        film, chart = alignment(answered.encoded)
        term = alignment_loss(film[pairs].float(), chart[pairs].float(), answered.labels[pairs], weights.temperature)
        total = total + weights.contrastive * term
    if not (weights.sparsity or weights.comprehensiveness) or not bool(seen.any()):
        return total
    attention = attention_on_image(answered.output).float()[seen]
    if weights.sparsity:
        total = total + weights.sparsity * sparsity_loss(attention)
    if weights.comprehensiveness:
        faded = erase(answered.encoded.image[seen], attention, fusion.absent_image)
        erased = fusion(answered.queries[seen], faded, answered.encoded.bias[seen]).logits
        term = comprehensiveness_loss(
            answered.output.logits[seen].float(), erased.float(), answered.labels[seen], weights.margin
        )
        total = total + weights.comprehensiveness * term
    return total
