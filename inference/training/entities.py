"""A trained text encoder -> an entity head on top of it: the paper's named entities (section 3.4).

The encoder stands still, so that the answer of the model does not change. The head learns from simulated notes, whose
entities are known to the character, and from remarks (`inference.training.cohort.remarks`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from inference.contract import TEXT_TOKENS
from inference.entities import BIO_TAGS, OUTSIDE, begin_tag
from inference.model.entities import EntityHead
from inference.training.batching import in_batches
from inference.training.cohort.grammar import GrammarName
from inference.training.cohort.marks import AnnotatedNote
from inference.training.cohort.remarks import draw_document
from inference.training.optimise import Optimiser
from inference.training.recipe import Stage
from inference.training.tokenizer import SPECIAL

STRANGERS: Final = 0.1
"""Share of word pieces that training replaces by any other: new words must be read by what stands around them."""
NOT_READ: Final = -100
"""Tag of tokens that stand for no text: cross-entropy skips it."""
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class EntityStage:
    """How the head is trained: `smoothing` and `augmentation` of `optimisation` are not used.

    Attributes:
        documents: new ones in every epoch.
    """

    optimisation: Stage
    documents: int


STAGE: Final = EntityStage(Stage(epochs=12, batch=16, rate=4e-3, decay=0.02, smoothing=0.0, average=0.99), 1500)


@dataclass(frozen=True, slots=True)
class TaggedDocuments:
    """N documents: tokens (N, T), tags (N, T) or `NOT_READ`, and attributes (N, T, 2), 1 where negated, where other."""

    tokens: Tensor
    tags: Tensor
    attributes: Tensor


def draw_documents(count: int, seed: Sequence[int], grammar: GrammarName) -> list[AnnotatedNote]:
    """Draw documents; that of a place depends on seed and place alone."""
    return [draw_document(np.random.default_rng([*seed, place]), grammar) for place in range(count)]


def tag_documents(documents: Sequence[AnnotatedNote], tokenizer: Tokenizer) -> TaggedDocuments:
    """Cut documents into word pieces and tag each piece; `tokenizer` as `inference.words.open_tokenizer` returns it."""
    shape = (len(documents), TEXT_TOKENS)
    tokens, tags = torch.zeros(shape, dtype=torch.int64), torch.full(shape, NOT_READ)
    attributes = torch.zeros(*shape, 2)
    encoded = tokenizer.encode_batch([document.text for document in documents])
    for row, (document, pieces) in enumerate(zip(documents, encoded, strict=True)):
        tokens[row] = torch.tensor(pieces.ids)
        for place, tag, flags in _tagged(document, pieces.offsets):
            tags[row, place] = tag
            attributes[row, place] = torch.tensor(flags)
    return TaggedDocuments(tokens, tags, attributes)


def _tagged(
    document: AnnotatedNote, offsets: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, int, tuple[float, float]]]:
    """Yield place, tag and attributes of each piece that stands for text."""
    spans, begun = list(document.spans), 0
    for place, (start, end) in enumerate(offsets):
        if end <= start:
            continue
        while spans and spans[0].end <= start:
            spans.pop(0)
            begun = 0
        if not spans or spans[0].start >= end:
            yield place, OUTSIDE, (0.0, 0.0)
            continue
        yield place, begin_tag(spans[0].kind) + begun, (float(spans[0].negated), float(spans[0].other))
        begun = 1


def with_strangers(data: TaggedDocuments, vocabulary: int) -> TaggedDocuments:
    """Replace `STRANGERS` of the pieces that stand for text by random ones of the vocabulary; their tags stay."""
    replaced = (torch.rand(data.tokens.shape) < STRANGERS) & (data.tags != NOT_READ)
    strangers = torch.randint(len(SPECIAL), vocabulary, data.tokens.shape)
    return TaggedDocuments(torch.where(replaced, strangers, data.tokens), data.tags, data.attributes)


def tag_loss(logits: Tensor, documents: TaggedDocuments) -> Tensor:
    """Return the loss () of logits (B, T, TAGS): cross-entropy of the tags, and of the attributes inside entities."""
    kinds = nn.functional.cross_entropy(
        logits[..., :BIO_TAGS].flatten(0, 1), documents.tags.flatten(), ignore_index=NOT_READ
    )
    inside = documents.tags > OUTSIDE
    attributes = nn.functional.binary_cross_entropy_with_logits(
        logits[..., BIO_TAGS:][inside], documents.attributes[inside]
    )
    return kinds + attributes


def fit_entities(
    encoder: nn.Module,
    head: EntityHead,
    tokenizer: Tokenizer,
    seed: int,
    report: Report,
    stage: EntityStage = STAGE,
) -> EntityHead:
    """Train an entity head on a text encoder that stands still; returns the averaged weights.

    Args:
        encoder: `MultimodalModel.text` of the model that the head goes into.
        head: where training starts; it moves.
        tokenizer: as `inference.words.open_tokenizer` returns it.
        seed: decides what is drawn.
        report: is told how each epoch went.
        stage: how long and how fast.
    """
    torch.manual_seed(seed)
    encoder.eval()
    optimisation, count, vocabulary = stage.optimisation, stage.documents, tokenizer.get_vocab_size()
    optimiser = Optimiser(head, optimisation, optimisation.epochs * (count // optimisation.batch))
    for epoch in range(optimisation.epochs):
        data = tag_documents(draw_documents(count, (seed, epoch), "train"), tokenizer)
        losses = []
        head.train()
        for index in in_batches(torch.arange(count), optimisation.batch, whole=True):
            part = with_strangers(
                TaggedDocuments(data.tokens[index], data.tags[index], data.attributes[index]), vocabulary
            )
            with torch.no_grad():
                states = encoder(part.tokens)
            loss = tag_loss(head(states, part.tokens), part)
            optimiser.step(loss)
            losses.append(loss.item())
        report(f"entities epoch {epoch + 1}/{optimisation.epochs}: mean loss {fmean(losses):.3f}")
    return optimiser.averaged
