"""Entities read from judged documents -> figures, beside those of a dictionary.

Documents are simulated notes of the test grammar and remarks of the test part: no sentence of them was in training.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from torch import nn

from inference.backends.protocol import Backend, canary
from inference.contract import FloatArray, IntArray, Tensor
from inference.entities import KINDS, Entity, read_entities
from inference.figures import Figure
from inference.model.entities import EntityHead
from inference.training.batching import in_batches
from inference.training.cohort.marks import AnnotatedNote
from inference.training.entities import STAGE, draw_documents
from inference.training.entity_dictionary import EntityDictionary
from inference.words import split_note

JUDGED: Final = 600
SEED: Final = 20_000
"""Of the judged documents; `fit_entities` is given others."""
DRAWS: Final = 400
BATCH: Final = 64

Tagger = Callable[[IntArray], FloatArray]
"""Tokens (N, T) to tag logits (N, T, TAGS)."""
Counts = npt.NDArray[np.int64]
"""Right, read and true entities of each document, (N, 3)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One document: the entities that are in it, as far as the model reads, and those that were read."""

    true: tuple[Entity, ...]
    read: tuple[Entity, ...]

    def counts(self, kind: str | None = None) -> tuple[int, int, int]:
        """Return how many entities of a kind, or of all, are right, read and true; right to the character."""
        true, read = (
            {(entity.kind, entity.start, entity.end) for entity in entities if kind in {None, entity.kind}}
            for entities in (self.true, self.read)
        )
        return len(true & read), len(read), len(true)

    def attributes(self, name: str) -> list[bool]:
        """Return for each entity read rightly whether its attribute is right too."""
        true = {(entity.kind, entity.start, entity.end): getattr(entity, name) for entity in self.true}
        found = ((getattr(entity, name), true.get((entity.kind, entity.start, entity.end))) for entity in self.read)
        return [says == is_so for says, is_so in found if is_so is not None]


def head_tagger(encoder: nn.Module, head: EntityHead) -> Tagger:
    """Return the tagger of a head that is in no graph yet."""

    def tag(tokens: IntArray) -> FloatArray:
        with torch.no_grad():
            parts = [
                head.eval()(encoder.eval()(part), part).numpy() for part in in_batches(torch.from_numpy(tokens), BATCH)
            ]
        return np.concatenate(parts)

    return tag


def graph_tagger(backend: Backend) -> Tagger:
    """Return the tagger of a graph: what is judged is what answers at the bedside."""

    def tag(tokens: IntArray) -> FloatArray:
        blank = canary()
        given = {name: np.repeat(array, len(tokens), 0) for name, array in blank.items()}
        given |= {Tensor.TOKENS: tokens, Tensor.TEXT_PRESENT: np.ones((len(tokens), 1), np.float32)}
        logits: FloatArray = backend.run(given, (Tensor.ENTITY_LOGITS,))[Tensor.ENTITY_LOGITS]
        return logits

    return tag


def f1(counts: Counts) -> float:
    """Return the micro F1 of counts (N, 3); 0 where nothing was right."""
    right, read, true = counts.sum(0)
    return float(2 * right / max(1, read + true))


def interval(counts: Counts) -> tuple[float, float]:
    """Return the 95 % interval of the micro F1, drawing whole documents with replacement (fixed seed)."""
    rng = np.random.default_rng(0)
    values = [f1(counts[rng.integers(0, len(counts), len(counts))]) for _ in range(DRAWS)]
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def read_documents(tag: Tagger, tokenizer: Tokenizer, documents: Sequence[AnnotatedNote]) -> list[Reading]:
    """Let a tagger read documents; what lies behind the model's last token counts for nobody."""
    pieces = [split_note(tokenizer, document.text) for document in documents]
    logits = tag(np.array([part.ids for part in pieces], np.int64))
    readings = []
    for document, part, rows in zip(documents, pieces, logits, strict=True):
        end = max(end for _, end in part.offsets)
        true = tuple(span for span in document.spans if span.end <= end)
        readings.append(Reading(true, read_entities(rows, part.offsets, document.text)))
    return readings


def look_up_documents(
    dictionary: EntityDictionary, readings: Sequence[Reading], documents: Sequence[AnnotatedNote], ends: Sequence[int]
) -> list[Reading]:
    """Let the dictionary read the same parts of the same documents."""
    return [
        Reading(reading.true, dictionary.read(document.text[:end]))
        for reading, document, end in zip(readings, documents, ends, strict=True)
    ]


def assess_entities(tag: Tagger, tokenizer: Tokenizer, seed: int = SEED, judged: int = JUDGED) -> list[Figure]:
    """Measure a tagger on documents that training never saw, and a dictionary of the training terms beside it.

    Args:
        tag: `head_tagger`, or the graph's `entity_logits`.
        tokenizer: as `inference.words.open_tokenizer` returns it.
        seed: of the judged documents.
        judged: how many.
    """
    documents = draw_documents(judged, (seed,), "test")
    readings = read_documents(tag, tokenizer, documents)
    dictionary = EntityDictionary(draw_documents(STAGE.documents, (seed, 0), "train"))
    ends = [max(end for _, end in split_note(tokenizer, document.text).offsets) for document in documents]
    looked_up = look_up_documents(dictionary, readings, documents, ends)
    return [
        _score("entities.f1", readings),
        *(_score(f"entities.{kind}.f1", readings, kind) for kind in KINDS),
        *_attribute_figures("entities", readings),
        _score("entities.dictionary_f1", looked_up),
        *_attribute_figures("entities.dictionary", looked_up),
    ]


def _score(name: str, readings: Sequence[Reading], kind: str | None = None) -> Figure:
    counts = np.array([reading.counts(kind) for reading in readings], np.int64)
    return Figure(name, f1(counts), "1", int(counts[:, 2].sum()), *interval(counts))


def _attribute_figures(prefix: str, readings: Sequence[Reading]) -> list[Figure]:
    """Return the accuracy of negation and person among the entities that were read rightly."""
    figures = []
    for name, attribute in (("negation", "negated"), ("other", "other")):
        right = [is_right for reading in readings for is_right in reading.attributes(attribute)]
        figures.append(Figure(f"{prefix}.{name}.accuracy", float(np.mean(right)) if right else 0.0, "1", len(right)))
    return figures
