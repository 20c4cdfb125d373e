"""Films and a model -> its logits for every set of modalities, with several simulated cases around each film.

Two questions a case answer all seven sets: the model answers every subset of what it is given (`subset_logits`), but
takes age and sex away with the measurements, so the sets without measurements are asked with age and sex alone.
This module knows neither PyTorch nor ONNX; who asks brings the model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from inference.contract import DEMOGRAPHIC_SLOTS, MODALITIES, SLOTS, SUBSETS, FloatArray
from inference.manifest import MASKS
from inference.training.data.films import Film
from inference.training.encode_cases import CaseArrays, arrays_of, cases_of
from inference.training.metrics import Labels

MEASURED: Final = [place for place in range(SLOTS) if place not in DEMOGRAPHIC_SLOTS]
STRUCTURED: Final = MODALITIES.index("structured")

Flags = npt.NDArray[np.bool_]
Names = npt.NDArray[np.str_]
AnswerSubsets = Callable[[CaseArrays], FloatArray]
"""Cases around films, in the order of the films -> logits of each subset, (N, 8, CLASSES), rows as `SUBSETS`.

The film is there in each case.
"""


@dataclass(frozen=True, slots=True)
class Judged:
    """Cases judged with the same modalities: logits (N, CLASSES), labels (N,) and the patient of each, (N,)."""

    logits: FloatArray
    labels: Labels
    groups: Names


@dataclass(frozen=True, slots=True)
class Answers:
    """All cases, judged with every set of modalities.

    Attributes:
        logits: for each of `MASKS`, (N, CLASSES).
        there: which of `MODALITIES` a case has, (N, 3); a note is not always written.
        labels: true diagnosis, (N,).
        groups: patient, (N,).
        films: number of the film, (N,); the cases of one film differ in what is simulated.
    """

    logits: Mapping[str, FloatArray]
    there: Flags
    labels: Labels
    groups: Names
    films: npt.NDArray[np.intp]

    def having(self, mask: str) -> Flags:
        """Say which cases have every modality of a mask, (N,): without a note nothing is judged by the note."""
        kept: Flags = np.all(self.there[:, [MODALITIES.index(name) for name in mask.split("+")]], axis=1)
        return kept

    def of(self, mask: str) -> Judged:
        """Return the cases that have every modality of a mask, judged with these alone."""
        kept = self.having(mask)
        return Judged(self.logits[mask][kept], self.labels[kept], self.groups[kept])

    def fullest(self) -> Names:
        """Return the mask of all that each case has, (N,)."""
        return np.array(["+".join(np.array(MODALITIES)[row]) for row in self.there])

    def pick(self, rows: Flags) -> Answers:
        """Return some of the cases."""
        logits = {mask: found[rows] for mask, found in self.logits.items()}
        return Answers(logits, self.there[rows], self.labels[rows], self.groups[rows], self.films[rows])


def without_measurements(cases: CaseArrays) -> CaseArrays:
    """Take every measurement away but age and sex, as at the bedside of a child nobody has measured."""
    values, present, ages = cases.values.copy(), cases.value_present.copy(), cases.value_age.copy()
    for array in (values, present, ages):
        array[:, MEASURED] = 0
    return replace(cases, values=values, value_present=present, value_age=ages)


def answer_masks(answer: AnswerSubsets, cases: CaseArrays) -> dict[str, FloatArray]:
    """Return logits for each of `MASKS`, (N, CLASSES)."""
    measured, unmeasured = answer(cases), answer(without_measurements(cases))
    found = {}
    for mask in MASKS:
        kept = [name in mask.split("+") for name in MODALITIES]
        source = measured if kept[STRUCTURED] else unmeasured
        kept[STRUCTURED] = True  # age and sex stay
        found[mask] = source[:, SUBSETS.index((kept[0], kept[1], kept[2]))]
    return found


def judge_films(answer: AnswerSubsets, films: Sequence[Film], tokenizer: Tokenizer, seed: int, draws: int) -> Answers:
    """Judge films, each with `draws` simulated cases in wordings that training never saw."""
    parts, there = [], []
    for draw in range(draws):
        cases = arrays_of(cases_of(films, seed, grammar="test", draw=draw), tokenizer)
        parts.append(answer_masks(answer, cases))
        measured = cases.value_present[:, MEASURED].any(1)
        there.append(np.stack([np.ones(len(films), bool), cases.text_present[:, 0] > 0, measured], 1))
    return Answers(
        {mask: np.concatenate([part[mask] for part in parts]) for mask in MASKS},
        np.concatenate(there),
        np.tile(np.array([film.label for film in films], np.int64), draws),
        np.tile(np.array([film.group for film in films]), draws),
        np.tile(np.arange(len(films)), draws),
    )
