"""Films -> cases with something planted in one modality, and where it lies.

The kind of each plant is drawn apart from everything else: what the film shows, the note says and was measured has
nothing to do with it, so that nothing but the plant can tell it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer

from explain.research.cases import Cases, blur, trimmed, word_places
from explain.research.planted.extremes import plant_values, take_away
from explain.research.planted.marks import plant_marks
from explain.research.planted.phrases import NOWHERE, plant_phrase
from explain.research.planted.plan import KINDS
from fhir_adapter.record import Modality
from inference.contract import MODALITIES, FloatArray, IntArray, Tensor
from inference.model.mllm import Batch
from inference.training.cohort.grammar import GrammarName
from inference.training.data.films import Film
from inference.training.encode_cases import arrays_of, cases_of
from inference.training.served import case_inputs

SEED: Final = 31_000
"""Of the cases around planted films."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What is planted in.

    Attributes:
        films: one a case.
        pixels: of the films, (N, S, S).
        grammar: wording of the notes around them.
        missing: share of the measurements that are taken away where one is planted: a model that never misses one
            while it learns would take any absence for a sign.
    """

    films: Sequence[Film]
    pixels: npt.NDArray[np.uint8]
    grammar: GrammarName
    missing: float = 0.0


@dataclass(frozen=True, slots=True)
class Planted:
    """N cases with everything measured and written, in one modality of which something is planted.

    Attributes:
        inputs: the graph's inputs.
        notes: the texts.
        kinds: what is planted, (N,): the label; 0 for nothing.
        boxes: pixels of the mark, (N, 4); see `marks`. All 0 but in planted films.
        spans: characters of the sentence, (N, 2). All 0 but in planted notes.
        slots: planted measurement, (N,). Only meant in planted measurements.
        patients: of each case.
    """

    inputs: Mapping[str, npt.NDArray[Any]]
    notes: tuple[str, ...]
    kinds: IntArray
    boxes: IntArray
    spans: IntArray
    slots: IntArray
    patients: tuple[str, ...]

    def cases(self, tokenizer: Tokenizer) -> Cases:
        """Lay the cases out for methods of explanation."""
        words = np.stack(
            [word_places(note, places) for note, places in zip(self.notes, self.offsets(tokenizer), strict=True)]
        )
        batch = trimmed(Batch(**{name: torch.from_numpy(array) for name, array in self.inputs.items()}))
        found = torch.from_numpy(words[:, : batch.tokens.shape[1]])
        width = max(int(words.max(initial=0)) + 1, 1)
        return Cases(batch, blur(batch.image), found, width, self.patients, tuple(range(len(self.notes))))

    def offsets(self, tokenizer: Tokenizer) -> list[list[tuple[int, int]]]:
        """Return the characters (start, end) of each word piece of each note."""
        return [encoded.offsets for encoded in tokenizer.encode_batch(list(self.notes))]

    def pick(self, rows: IntArray) -> Planted:
        """Return the cases at `rows` (M,)."""
        return Planted(
            {name: array[rows] for name, array in self.inputs.items()},
            tuple(self.notes[row] for row in rows),
            self.kinds[rows],
            self.boxes[rows],
            self.spans[rows],
            self.slots[rows],
            tuple(self.patients[row] for row in rows),
        )


def plant(modality: Modality, ground: Ground, tokenizer: Tokenizer, draw: int) -> Planted:
    """Plant in one modality of the cases around films; another `draw` gives the same films other cases and plants."""
    count = len(ground.films)
    random = np.random.default_rng([SEED, MODALITIES.index(modality), draw])
    kinds = random.integers(0, KINDS, count)
    charts = cases_of(ground.films, SEED, grammar=ground.grammar, draw=draw, complete=1.0)
    spans = [NOWHERE] * count
    if modality == "text":
        pairs = [
            plant_phrase(chart.note or "", int(kind), tokenizer, random)
            for chart, kind in zip(charts, kinds, strict=True)
        ]
        charts = [replace(chart, note=note) for chart, (note, _) in zip(charts, pairs, strict=True)]
        spans = [span for _, span in pairs]
    arrays, slots = arrays_of(charts, tokenizer), np.zeros(count, np.int64)
    if modality == "structured":
        values, slots = plant_values(arrays.values, kinds, random)
        kept = take_away(arrays.value_present, slots, ground.missing, random)
        arrays = replace(arrays, values=values * kept, value_present=kept, value_age=arrays.value_age * kept)
    images, boxes = plain(ground.pixels), np.zeros((count, 4), np.int64)
    if modality == "image":
        images, boxes = plant_marks(ground.pixels, kinds, random)
    inputs = {
        Tensor.IMAGE: images[:, None],
        Tensor.IMAGE_PRESENT: np.ones((count, 1), np.float32),
        **case_inputs(arrays),
    }
    notes, patients = tuple(chart.note or "" for chart in charts), tuple(film.group for film in ground.films)
    return Planted(inputs, notes, kinds, boxes, np.array(spans, np.int64).reshape(count, 2), slots, patients)


def plain(pixels: npt.NDArray[np.uint8]) -> FloatArray:
    """Return films (N, S, S) as grey 0..1."""
    return pixels.astype(np.float32) / np.float32(255)
