"""Answer -> why: gradient-weighted relevance of film and words, and what each measurement does to the answer.

Relevance: rules 5, 6 and 10 of Chefer et al., "Generic attention-model explainability" (ICCV 2021). The image never
attends to the text in the CATM, so no other rule is needed. The encoders run forward only: relevance is that of their
output tokens.

Effect of a word: attention times its gradient, with its sign, of the question on each query, summed over heads and
blocks. Softmax leaves it undetermined by a constant, so it ranks poorly: it is kept to be compared with, not shown.

Effect of a measurement: the answer is asked again without it. That is done beside the film and without the note, where
the queries are few and fourteen runs cost as much as one. Exact contributions, the note among them, are the second
tier's (`explain.methods.shapley`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from inference.contract import SLOTS, SUBSETS
from inference.model.fusion import CrossAttentionFusion, Deltas, FusionOutput
from inference.model.mllm import Batch, Encoded, MultimodalModel

Gradients = tuple[Sequence[Tensor], Sequence[Tensor]]
"""Gradients of the score at each self map and at each cross map of a `FusionOutput`."""


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
    image_memory: Tensor
    note_memory: Tensor

    def in_order(self) -> tuple[Tensor, ...]:
        """Return the outputs as the graph gives them."""
        return tuple(getattr(self, name) for name in self.__dataclass_fields__)


def pick_answer(logits: Tensor) -> Tensor:
    """Return the most probable diagnosis of each patient, one-hot (B, classes), from logits (B, classes)."""
    return (logits == logits.amax(-1, keepdim=True)).float()


def log_odds(logits: Tensor, answer: Tensor) -> Tensor:
    """Return the log-odds (...) of `answer` (..., classes), one-hot, against all others, of logits (..., classes)."""
    others = logits.masked_fill(answer > 0, -1e4)
    return (logits * answer).sum(-1) - others.logsumexp(-1)


def score_answer(logits: Tensor) -> Tensor:
    """Sum over patients of the log-odds () of the likeliest diagnosis against all others, of logits (B, classes)."""
    return log_odds(logits, pick_answer(logits.detach())).sum()


def zero_deltas(queries: Tensor, image: Tensor, fusion: CrossAttentionFusion) -> Deltas:
    """Make the zeros whose gradients are the relevance: their batch follows queries (B, Q, D) and image (B, P, D)."""
    batch, length, patches = queries.shape[0], queries.shape[1], image.shape[1]
    rows = [length] * (len(fusion.blocks) - 1) + [1]
    return Deltas(
        [queries.new_zeros(batch, fusion.heads, asking, length) for asking in rows],
        [queries.new_zeros(batch, fusion.heads, asking, patches) for asking in rows],
    )


def weigh(attention: Tensor, slope: Tensor) -> Tensor:
    """Return rule 5: the positive part of attention (B, H, R, K) times its gradient, mean over the heads (B, R, K)."""
    return (slope * attention).relu().mean(1)


def normalise(among: Tensor, identity: Tensor) -> Tensor:
    """Return equations 8 and 9: `among` (B, Q, Q), each row divided by its sum, the identity apart."""
    spread = among - identity
    total = spread.sum(-1, keepdim=True)
    return spread / torch.where(total > 0, total, torch.ones_like(total)) + identity


def propagate(output: FusionOutput, gradients: Gradients) -> tuple[Tensor, Tensor]:
    """Carry relevance through the fusion: of each query (B, Q) and each patch (B, P) for the answer.

    In the last block only the question asks, so that only the first row of each matrix is needed there.
    """
    queries = output.self_maps[-1].shape[-1]
    identity = torch.eye(queries)
    among = identity.expand(output.self_maps[-1].shape[0], -1, -1)  # R_tt
    onto_image = output.cross_maps[-1].new_zeros(among.shape[0], queries, output.cross_maps[-1].shape[-1])  # R_ti
    maps = zip(output.self_maps, output.cross_maps, gradients[0], gradients[1], strict=True)
    for place, (self_map, cross_map, self_slope, cross_slope) in enumerate(maps):
        mixed, seen = weigh(self_map, self_slope), weigh(cross_map, cross_slope)
        if place < len(output.self_maps) - 1:
            among, onto_image = among + mixed @ among, onto_image + mixed @ onto_image  # rule 6
            onto_image = onto_image + normalise(among, identity).transpose(-1, -2) @ seen  # rule 10
            continue
        row, patches = among[:, :1] + mixed @ among, onto_image[:, :1] + mixed @ onto_image
        spread = row - identity[:1]
        total = spread.sum(-1, keepdim=True)
        own = spread[..., :1] / torch.where(total > 0, total, torch.ones_like(total)) + 1
        patches = patches + own * seen
    return (row - identity[:1])[:, 0], patches[:, 0]


def signed_effect(output: FusionOutput, gradients: Gradients) -> Tensor:
    """Return the question's attention to each query times its gradient, summed over heads and blocks: (B, Q)."""
    parts = [
        (slope[:, :, 0] * attention[:, :, 0]).sum(1)
        for attention, slope in zip(output.self_maps, gradients[0], strict=True)
    ]
    return torch.stack(parts).sum(0)


def answer_subsets(model: MultimodalModel, encoded: Encoded, logits: Tensor) -> Tensor:
    """Answer each subset of the modalities: logits (B, 8, classes), rows as `SUBSETS`; the last is `logits` itself."""
    fusion = model.fusion
    no_values = torch.zeros_like(encoded.structured) + model.structured.absent
    no_text = torch.zeros_like(encoded.text[:, :1]) + fusion.absent_text
    short_bias = torch.zeros_like(encoded.bias[..., :1]).expand(-1, -1, -1, 2 + SLOTS)
    with_note = [fusion.join(encoded.text, values) for values in (no_values, encoded.structured)]
    without_note = [fusion.join(no_text, values) for values in (no_values, encoded.structured)]
    # (image, structured) of each row; everything at once is `logits`.
    read = answer_rows(fusion, with_note, encoded, encoded.bias, ((True, False), (False, False), (False, True)))
    unread = answer_rows(
        fusion, without_note, encoded, short_bias, ((True, False), (True, True), (False, False), (False, True))
    )
    rows: dict[tuple[bool, ...], Tensor] = {(kept[0], True, kept[1]): row for kept, row in read.items()}
    rows |= {(kept[0], False, kept[1]): row for kept, row in unread.items()}
    rows[(True, True, True)] = logits
    return torch.stack([rows[kept] for kept in SUBSETS], 1)


def answer_rows(
    fusion: CrossAttentionFusion,
    queries: Sequence[Tensor],
    encoded: Encoded,
    bias: Tensor,
    rows: Sequence[tuple[bool, bool]],
) -> dict[tuple[bool, bool], Tensor]:
    """Answer several variants of one case in one pass: logits (B, classes) for each (with image, with values).

    What two variants share is computed once: the first self-attention does not depend on the image, and an absent
    image is one value that every query is given.

    Args:
        fusion: the fusion.
        queries: without and with the measurements, each (B, Q, D).
        encoded: its image memory is used.
        bias: (B, 1, 1, Q).
        rows: those with an image first.
    """
    seeing, blocks = sum(kept[0] for kept in rows), fusion.in_order()
    last = len(blocks) - 1
    first = [blocks[0].mix(query, bias, rows=None if last else 1)[0] for query in queries]
    states = torch.cat([first[kept[1]] for kept in rows])
    many_bias = torch.cat([bias] * len(rows))
    memory = torch.cat([encoded.image] * seeing)
    patients = encoded.image.shape[0]
    for place, block in enumerate(blocks):
        wanted = 1 if place == last else None
        if place:
            states, _ = block.mix(states, many_bias, rows=wanted)
        seen, _ = block.look(states[: seeing * patients], memory, rows=wanted)
        unseen = block.look_at_nothing(states[seeing * patients :], fusion.absent_image)
        states = block.think(torch.cat([seen, unseen]))
    answers = fusion.read(states).view(len(rows), patients, -1)
    return {kept: answers[place] for place, kept in enumerate(rows)}


def leave_out(model: MultimodalModel, encoded: Encoded, logits: Tensor) -> Tensor:
    """Return by how much the log-odds of the answer fall without each measurement, the note left aside: (B, slots).

    The image is attended to by the queries of all variants at once: its keys and values are computed once.
    """
    fusion, (patients, slots, width) = model.fusion, encoded.structured.shape
    left = torch.cat([torch.zeros(1, slots), torch.eye(slots)])[None, :, :, None]  # nothing, then each one
    values = encoded.structured[:, None] * (1 - left) + model.structured.absent * left
    no_text = (torch.zeros_like(encoded.text[:, :1]) + fusion.absent_text)[:, None].expand(-1, 1 + slots, -1, -1)
    question = fusion.question[:, None].expand(patients, 1 + slots, -1, -1)
    states = torch.cat([question, no_text, values], 2).view(patients * (1 + slots), 2 + slots, width)
    bias = torch.zeros(1, 1, 1, 2 + slots)
    blocks = fusion.in_order()
    for place, block in enumerate(blocks):
        states, _ = block.mix(states, bias, rows=1 if place == len(blocks) - 1 else None)
        together = states.view(patients, -1, width)
        states = block.think(block.look(together, encoded.image)[0]).view(states.shape)
    scores = log_odds(fusion.read(states).view(patients, 1 + slots, -1), pick_answer(logits)[:, None])
    return scores[:, :1] - scores[:, 1:]


def explain_answer(
    model: MultimodalModel, batch: Batch, encoded: Encoded, passed: tuple[FusionOutput, Gradients]
) -> Explained:
    """Put together the outputs of the graph from one forward and backward pass of the fusion."""
    output, gradients = passed
    of_query, of_patch = propagate(output, gradients)
    effect = signed_effect(output, gradients)
    words = (batch.tokens != 0).float() * batch.text_present
    notes = slice(1, 1 + batch.tokens.shape[1])
    return Explained(
        output.logits,
        answer_subsets(model, encoded, output.logits),
        of_patch * batch.image_present,
        of_query[:, notes] * words,
        effect[:, notes] * words,
        leave_out(model, encoded, output.logits) * batch.value_present,
        encoded.feature,
        model.tag_entities(batch, encoded),
        encoded.image,
        encoded.text,
    )


def run_and_explain(model: MultimodalModel, batch: Batch) -> Explained:
    """Answer and explain by PyTorch's autograd: the reference that the exported graph is held against."""
    with torch.no_grad():
        encoded = model.encode(batch)
        queries = model.fusion.join(encoded.text, encoded.structured)
    deltas = zero_deltas(queries, encoded.image, model.fusion)
    wanted = [*deltas.self_maps, *deltas.cross_maps]
    with torch.enable_grad():
        for delta in wanted:
            delta.requires_grad_()
        output = model.fusion(queries, encoded.image, encoded.bias, deltas)
        slopes = torch.autograd.grad(score_answer(output.logits), wanted)
    blocks = len(deltas.self_maps)
    fixed = FusionOutput(
        output.logits.detach(),
        tuple(attention.detach() for attention in output.self_maps),
        tuple(attention.detach() for attention in output.cross_maps),
    )
    with torch.no_grad():
        return explain_answer(model, batch, encoded, (fixed, (slopes[:blocks], slopes[blocks:])))
