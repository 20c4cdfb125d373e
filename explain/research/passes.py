"""One pass through the fusion and back -> the attention maps and gradients that the cheap methods read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from inference.model.blocks import TransformerBlock
from inference.model.fusion import FusionOutput
from inference.model.image import ImageEncoder
from inference.model.mllm import Encoded, MultimodalModel
from inference.model.relevance import Gradients, log_odds, zero_deltas


class ResearchError(ValueError):
    """A check that cannot be made with this checkpoint or these films; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Passed:
    """The fusion's output with its gradients for one diagnosis.

    Attributes:
        output: logits and maps.
        gradients: of that diagnosis's log-odds at each self and each cross map.
        memory: image memory (B, P, D).
        memory_gradient: the same at the image memory, (B, P, D).
    """

    output: FusionOutput
    gradients: Gradients
    memory: Tensor
    memory_gradient: Tensor


def score(logits: Tensor, answer: Tensor) -> Tensor:
    """Return the sum over patients () of the log-odds of the diagnoses `answer` (B,) against all others."""
    return log_odds(logits, nn.functional.one_hot(answer, logits.shape[-1]).float()).sum()


def pass_back(model: MultimodalModel, encoded: Encoded, answer: Tensor) -> Passed:
    """Run the fusion on encoded cases and back from the log-odds of `answer` (B,): of any diagnosis, likeliest or not.

    The graph explains the likeliest; for it the gradients are the graph's.
    """
    with torch.enable_grad():
        queries = model.fusion.join(encoded.text, encoded.structured).detach()
        memory = encoded.image.detach().clone().requires_grad_()
        deltas = zero_deltas(queries, memory, model.fusion)
        wanted = [*deltas.self_maps, *deltas.cross_maps]
        for delta in wanted:
            delta.requires_grad_()
        output: FusionOutput = model.fusion(queries, memory, encoded.bias, deltas)
        slopes = torch.autograd.grad(score(output.logits, answer), [*wanted, memory])
    blocks = len(deltas.self_maps)
    fixed = FusionOutput(
        output.logits.detach(),
        tuple(attention.detach() for attention in output.self_maps),
        tuple(attention.detach() for attention in output.cross_maps),
    )
    return Passed(fixed, (slopes[:blocks], slopes[blocks:-1]), memory.detach(), slopes[-1])


def compact(model: MultimodalModel) -> ImageEncoder:
    """Return the image encoder of a model of the preset `compact`.

    Raises:
        ResearchError: it is one of another preset.
    """
    if not isinstance(model.image, ImageEncoder):
        raise ResearchError("explain-check takes the encoder of the preset compact to pieces: give such a checkpoint")
    return model.image


@dataclass(frozen=True, slots=True)
class SeenThrough:
    """The image encoder's own maps with the gradients of one diagnosis, and its stem's.

    Attributes:
        maps: self-attention of each block of the Vision Transformer, (B, H, P, P).
        gradients: of the diagnosis's log-odds at each of them.
        stem: what enters the transformer, (B, P, channels).
        stem_gradient: the same at the stem, (B, P, channels).
    """

    maps: Sequence[Tensor]
    gradients: Sequence[Tensor]
    stem: Tensor
    stem_gradient: Tensor


def see_through(model: MultimodalModel, images: Tensor, encoded: Encoded, answer: Tensor) -> SeenThrough:
    """Run transformer and fusion on films (B, 1, S, S), all there, and back from the log-odds of `answer` (B,)."""
    encoder = compact(model)
    with torch.no_grad():
        features = encoder.stem_map(images)
    with torch.enable_grad():
        features.requires_grad_()
        tokens = encoder.norm_in(encoder.project(features.flatten(2).transpose(1, 2))) + encoder.position
        tokens, maps, deltas = run_blocks(encoder, tokens)
        queries = model.fusion.join(encoded.text, encoded.structured).detach()
        output = model.fusion(queries, model.fusion.from_image(encoder.norm(tokens)), encoded.bias)
        *slopes, at_stem = torch.autograd.grad(score(output.logits, answer), [*deltas, features])
    flat = [grid.detach().flatten(2).transpose(1, 2) for grid in (features, at_stem)]
    return SeenThrough([attention.detach() for attention in maps], slopes, flat[0], flat[1])


def run_blocks(encoder: ImageEncoder, tokens: Tensor) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """Run the transformer's blocks: tokens (B, P, D), and of each its map (B, H, P, P) and the zero added to it."""
    maps, deltas = [], []
    for block in encoder.blocks:
        if not isinstance(block, TransformerBlock):
            raise ResearchError("the image encoder is made of other blocks than this version's: export it again")
        delta = tokens.new_zeros(len(tokens), block.attention.heads, tokens.shape[1], tokens.shape[1])
        delta.requires_grad_()
        normed = block.norm_attention(tokens)
        seen, attention = block.attention.mapped(normed, normed, None, delta)
        tokens = tokens + seen
        tokens = tokens + block.mlp(block.norm_mlp(tokens))
        maps.append(attention)
        deltas.append(delta)
    return tokens, maps, deltas
