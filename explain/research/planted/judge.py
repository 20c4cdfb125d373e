"""Planted cases before a model -> which of its explanations point at what was planted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from explain.research.methods import METHODS, RANDOM, SHIPPED, draw_maps
from explain.research.passes import compact
from explain.research.planted.cases import Planted
from explain.research.planted.covered import covered
from explain.research.planted.gaze import gaze
from explain.research.planted.pointing import Flags, in_box, picked, points_of, strongest, words_in
from explain.research.variants import Doubles, Subject
from fhir_adapter.record import Modality
from inference.contract import IMAGE_SIZE, SLOTS

COVERING: Final = "covering"
CENTRE: Final = "centre"
TOO_DEAR: Final = "shapley"
"""The exact Shapley value asks thousands of times for each case; leaving one out stands for the methods that ask."""
IN_PIXELS: Final = (COVERING, RANDOM)
"""Methods whose maps lie where the pixels lie; all others are maps of tokens and lie where these look."""
LOOKED_AT: Final = 8
"""Films by which it is found where tokens look."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Maps (N, U) of planted cases by method, and which of them pointed at the plant, (N,)."""

    maps: Mapping[str, Doubles]
    hits: Mapping[str, Flags]


def names_of(modality: Modality) -> list[str]:
    """Return the methods of a modality that are judged: what ships at any price."""
    return [name for name in METHODS[modality] if name != TOO_DEAR or name == SHIPPED[modality]]


def judge(
    subject: Subject, modality: Modality, planted: Planted, tokenizer: Tokenizer, names: Collection[str]
) -> Judged:
    """Draw the maps of some methods and see where they point; every case holds a plant."""
    maps = draw_maps(subject, {name: METHODS[modality][name] for name in names if name != COVERING})
    if COVERING in names:
        maps[COVERING] = covered(subject)
    if modality == "image":
        return Judged(maps, film_hits(subject, planted, maps))
    flags = sentence_flags(subject, planted, tokenizer) if modality == "text" else slot_flags(planted)
    # These have a sign, and the page marks what is strong in either direction.
    return Judged(maps, {name: picked(strongest(np.abs(found)), flags) for name, found in maps.items()})


def film_hits(subject: Subject, planted: Planted, maps: Mapping[str, Doubles]) -> dict[str, Flags]:
    """Say which maps of films (N, PATCHES) point into the box of the mark, and which boxes hold the film's centre."""
    shift = gaze(compact(subject.model), subject.cases.batch.image[:LOOKED_AT])
    hits = {
        name: in_box(points_of(strongest(found), (0.0, 0.0) if name in IN_PIXELS else shift), planted.boxes)
        for name, found in maps.items()
    }
    return hits | {CENTRE: in_box(np.full((len(planted.kinds), 2), IMAGE_SIZE / 2), planted.boxes)}


def sentence_flags(subject: Subject, planted: Planted, tokenizer: Tokenizer) -> Flags:
    """Say which words of each note are of the planted sentence, (N, width)."""
    words = subject.cases.words.numpy()
    offsets = np.array(planted.offsets(tokenizer), np.int64)[:, : words.shape[1]]
    return words_in(words, offsets, planted.spans, subject.cases.width)


def slot_flags(planted: Planted) -> Flags:
    """Say which measurement of each case is planted, (N, SLOTS)."""
    flags: npt.NDArray[np.bool_] = planted.slots[:, None] == np.arange(SLOTS)
    return flags
