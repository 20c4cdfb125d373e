"""A model whose every answer is known by hand, and a case to ask it about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from explain.methods.inputs import CheckInputs
from explain.methods.words import Mark
from explain.words import pieces
from fhir_adapter.record import Modality
from inference import explore
from inference.backends.protocol import Array
from inference.calibrate import DoubleArray
from inference.checkpoint import Checkpoint
from inference.contract import (
    GRID,
    IMAGE_SIZE,
    MEASUREMENTS,
    PATCH,
    PATCHES,
    SLOT_OF_KEY,
    SLOTS,
    TEXT_TOKENS,
    FloatArray,
    IntArray,
    Tensor,
)
from inference.entities import Entity
from inference.explore import Explorer, Memory

NOTE = "fever and crackles heard but eats well today"


@dataclass
class Seen:
    """What a planted model is asked about, B cases.

    Attributes:
        film: mean grey of each patch (B, PATCHES), 0 where there is no film.
        words: for each word piece of `NOTE` whether it is there (B, words).
        z: standardised values (B, SLOTS), 0 where absent.
        there: which are given (B, SLOTS).
    """

    film: DoubleArray
    words: npt.NDArray[np.bool_]
    z: DoubleArray
    there: DoubleArray

    def given(self, key: str) -> DoubleArray:
        """Return 1 where a measurement is given, (B,)."""
        return self.there[:, SLOT_OF_KEY[key]]

    def value(self, key: str) -> DoubleArray:
        """Return a standardised value, (B,)."""
        return self.z[:, SLOT_OF_KEY[key]]

    def word(self, word: str) -> DoubleArray:
        """Return 1 where a word of `NOTE` is there, (B,)."""
        found: DoubleArray = self.words[:, NOTE.split().index(word)].astype(np.float64)
        return found


Rule = Callable[[Seen], DoubleArray]
"""The probability of bacterial pneumonia (B,); three fifths of the rest are viral."""


class Planted(Explorer):
    """An explorer of a rule instead of a graph."""

    def __init__(self, checkpoint: Checkpoint, rule: Rule) -> None:
        self.checkpoint, self.rule = checkpoint, rule
        self.runs = 0
        self.pause = lambda: None

    def whole(self, arrays: Mapping[str, Array]) -> DoubleArray:
        """Answer whole cases."""
        return self.answer(patches(arrays), arrays[Tensor.TOKENS] * arrays[Tensor.TEXT_PRESENT], arrays)

    def memory(self, arrays: Mapping[str, Array]) -> Memory:
        """Keep the patches' grey and the word pieces."""
        tokens = arrays[Tensor.TOKENS] * arrays[Tensor.TEXT_PRESENT]
        image, note = (part.astype(np.float32)[..., None] for part in (patches(arrays), tokens))
        return Memory(image, note, arrays[Tensor.TOKENS], arrays[Tensor.TEXT_PRESENT])

    def films(self, memory: Memory, images: FloatArray, chart: explore.Chart) -> DoubleArray:
        """Answer other films."""
        given = {Tensor.IMAGE: images, Tensor.IMAGE_PRESENT: np.ones((len(images), 1), np.float32)}
        return self.fused(replace(memory, image=patches(given).astype(np.float32)[..., None]), chart)

    def notes(self, memory: Memory, tokens: IntArray, present: FloatArray, chart: explore.Chart) -> DoubleArray:
        """Answer other notes."""
        return self.fused(replace(memory, note=(tokens * present).astype(np.float32)[..., None]), chart)

    def fused(self, memory: Memory, chart: explore.Chart) -> DoubleArray:
        """Answer variants; what there is one of goes with each."""
        rows = max(len(memory.image), len(memory.note), len(chart.values))
        film, note, values, present = (
            part.repeat(rows, 0) if len(part) == 1 else part
            for part in (memory.image[..., 0], memory.note[..., 0], chart.values, chart.present)
        )
        return self.answer(film, note, {Tensor.VALUES: values, Tensor.VALUE_PRESENT: present})

    def answer(self, film: Array, tokens: Array, arrays: Mapping[str, Array]) -> DoubleArray:
        """Apply the rule; this counts as one run."""
        self.runs += 1
        there = arrays[Tensor.VALUE_PRESENT].astype(np.float64)
        words = np.stack([(tokens == 10 + place).any(1) for place in range(len(NOTE.split()))], 1)
        seen = Seen(film.astype(np.float64), words, arrays[Tensor.VALUES] * there, there)
        p = self.rule(seen)
        return np.stack([0.4 * (1 - p), p, 0.6 * (1 - p)], 1)


def patches(arrays: Mapping[str, Array]) -> Array:
    """Return the mean grey of each patch, (B, PATCHES)."""
    grid = arrays[Tensor.IMAGE].reshape(-1, GRID, PATCH, GRID, PATCH).mean((2, 4)).reshape(-1, PATCHES)
    film: Array = grid * arrays[Tensor.IMAGE_PRESENT]
    return film


@dataclass
class Chart:
    """What a planted case is made of.

    Attributes:
        values: measurements in their own unit; age in months and female as 0 or 1 beside them.
        film: the pixels, or None.
        note: whether `NOTE` is there.
        findings: words of the note that name a finding.
    """

    values: Mapping[str, float] = field(default_factory=lambda: {"age": 30.0, "crp": 80.0, "temperature": 39.0})
    film: FloatArray | None = None
    note: bool = True
    findings: tuple[str, ...] = ("fever", "crackles")


def make_case(explorer: Planted, chart: Chart | None = None, **changes: Any) -> CheckInputs:
    """Return a case as `check_inputs` would, answered by a planted model."""
    chart = chart or Chart()
    case = CheckInputs(
        arrays=make_arrays(chart),
        recorded=np.array([recorded(chart, slot.key) for slot in MEASUREMENTS]),
        offsets=np.array([(0, 0), *words_at(), *[(0, 0)] * (TEXT_TOKENS - 1 - len(words_at()))], np.int64),
        text=NOTE if chart.note else "",
        entities=tuple(symptom(word) for word in chart.findings) if chart.note else (),
        film_size=(0, 0) if chart.film is None else (IMAGE_SIZE, IMAGE_SIZE),
        answer="bacterial",
        probability=0.0,
        prediction_set=("bacterial",),
        modalities=modalities_of(chart),
        structured_points=0.0,
        model_digest=explorer.checkpoint.digest,
    )
    probability = float(explorer.whole(case.arrays)[0, 1])
    return replace(case, probability=probability, **changes)


def make_arrays(chart: Chart) -> dict[str, Array]:
    """Return the arrays of a chart, [CLS] being piece 2 and [SEP] piece 3."""
    pieces = [2, *(10 + place for place in range(len(words_at()))), 3] if chart.note else []
    tokens = np.zeros((1, TEXT_TOKENS), np.int64)
    tokens[0, : len(pieces)] = pieces
    values, present = (np.zeros((1, SLOTS), np.float32) for _ in range(2))
    for key, value in chart.values.items():
        place = SLOT_OF_KEY[key]
        values[0, place], present[0, place] = MEASUREMENTS[place].standardise(value), 1
    film = np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.float32) if chart.film is None else chart.film
    return {
        Tensor.IMAGE: film[None, None],
        Tensor.IMAGE_PRESENT: np.full((1, 1), chart.film is not None, np.float32),
        Tensor.TOKENS: tokens,
        Tensor.TEXT_PRESENT: np.full((1, 1), chart.note, np.float32),
        Tensor.VALUES: values,
        Tensor.VALUE_PRESENT: present,
        Tensor.VALUE_AGE: np.zeros((1, SLOTS), np.float32),
    }


def recorded(chart: Chart, key: str) -> float:
    """Return a measurement in its own unit; NaN for age, sex and what is absent."""
    return float("nan") if key in {"age", "female"} else chart.values.get(key, float("nan"))


def modalities_of(chart: Chart) -> tuple[Modality, ...]:
    """Name what a chart has."""
    measured = bool(chart.values.keys() - {"age", "female"})
    there: dict[Modality, bool] = {"image": chart.film is not None, "text": chart.note, "structured": measured}
    return tuple(name for name, present in there.items() if present)


def words_at() -> list[tuple[int, int]]:
    """Return where the words of `NOTE` stand."""
    ends = np.cumsum([len(word) + 1 for word in NOTE.split()]) - 1
    return [(int(end) - len(word), int(end)) for word, end in zip(NOTE.split(), ends, strict=True)]


def symptom(word: str, **changes: Any) -> Entity:
    """Take a word of `NOTE` for a symptom."""
    start, end = words_at()[NOTE.split().index(word)]
    return replace(Entity("symptom", start, end, negated=False, other=False), **changes)


def mark_of(word: str) -> Mark:
    """Mark a word of `NOTE` as a finding."""
    start, end = words_at()[NOTE.split().index(word)]
    return Mark(start, end, word)


def effects(**of_key: float) -> DoubleArray:
    """Return effects of measurements, (SLOTS,)."""
    effect = np.zeros(SLOTS)
    for key, value in of_key.items():
        effect[SLOT_OF_KEY[key]] = value
    return effect


def word_effects(**of_word: float) -> DoubleArray:
    """Return effects of the pieces of `NOTE`, one each; "and crackles" is the piece of "crackles"."""
    parts = [NOTE[piece.start : piece.end].split() for piece in pieces(NOTE)]
    return np.array([sum(of_word.get(word, 0.0) for word in part) for part in parts])
