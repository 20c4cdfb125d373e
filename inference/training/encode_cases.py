"""Cases -> the text and structured arrays of a batch, as the serving encoder would make them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tokenizers import Tokenizer

from inference.contract import MEASUREMENTS, SLOTS, TEXT_TOKENS, FloatArray, IntArray
from inference.training.cohort.grammar import GrammarName
from inference.training.data.case import Case
from inference.training.data.films import Film
from inference.training.data.source import SimulatedSource


@dataclass(frozen=True, slots=True)
class CaseArrays:
    """N cases: tokens (N, T), text_present (N, 1), and values, value_present, value_age, each (N, SLOTS)."""

    tokens: IntArray
    text_present: FloatArray
    values: FloatArray
    value_present: FloatArray
    value_age: FloatArray


def cases_of(
    films: Sequence[Film], seed: int, *, grammar: GrammarName, draw: int = 0, complete: float = 0.0
) -> list[Case]:
    """Draw the simulated case around each film; the same for the same film name, seed and draw.

    Args:
        films: their names and labels decide.
        seed: of the whole cohort.
        grammar: wordings of the notes.
        draw: another number gives the same film another case.
        complete: share of the cases, 0..1, in which everything was measured and a note written.
    """
    return SimulatedSource(seed, grammar).cases(films, draw=draw, complete=complete)


def arrays_of(cases: Sequence[Case], tokenizer: Tokenizer) -> CaseArrays:
    """Encode cases: standardised values, age in days, padded word pieces."""
    values, present, ages = (np.zeros((len(cases), SLOTS), np.float32) for _ in range(3))
    for row, case in enumerate(cases):
        for place, slot in enumerate(MEASUREMENTS):
            if slot.key in case.values:
                values[row, place] = slot.standardise(case.values[slot.key])
                present[row, place], ages[row, place] = 1, case.hours[slot.key] / 24
    encoded = tokenizer.encode_batch([case.note or "" for case in cases])
    written = np.array([[case.note is not None] for case in cases], np.float32)
    tokens = np.array([item.ids for item in encoded], np.int64).reshape(len(cases), TEXT_TOKENS)
    return CaseArrays(tokens * written.astype(np.int64), written, values, present, ages)
