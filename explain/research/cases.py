"""Labelled films and the cases around them -> what methods of explanation and their tests take."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from torch import Tensor

from explain.methods.variants import blurred
from explain.words import pieces
from fhir_adapter.record import Modality
from inference.contract import PATCHES
from inference.model.mllm import Batch
from inference.training.data.films import Film
from inference.training.encode_cases import arrays_of, cases_of
from inference.training.served import inputs_of

AT_ONCE: Final = 8
"""Cases in one run of the model: few, for the sake of memory."""
NO_WORD: Final = -1

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Cases:
    """N cases, everything in them present that was there.

    Attributes:
        batch: what the model takes; word pieces that are padding in every case are cut off.
        blurred: the films as they look where they are covered, (N, 1, S, S).
        words: the word of the note that each word piece belongs to, (N, T); `NO_WORD` for frame, padding and marks.
        width: words of the longest note.
        patients: of each case; intervals draw whole patients.
        numbers: of each case, what is drawn for it follows from this.
    """

    batch: Batch
    blurred: Tensor
    words: Tensor
    width: int
    patients: tuple[str, ...]
    numbers: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.patients)

    def pick(self, rows: slice) -> Cases:
        """Return some of the cases."""
        batch = Batch(*(getattr(self.batch, field.name)[rows] for field in fields(Batch)))
        return Cases(batch, self.blurred[rows], self.words[rows], self.width, self.patients[rows], self.numbers[rows])

    def parts(self) -> Iterator[Cases]:
        """Cut into pieces of at most `AT_ONCE` cases."""
        for start in range(0, len(self), AT_ONCE):
            yield self.pick(slice(start, start + AT_ONCE))

    def there(self, modality: Modality) -> Flags:
        """Say which parts of a modality a case has: patches (N, PATCHES), words (N, width) or values (N, SLOTS)."""
        if modality == "image":
            return np.repeat(self.batch.image_present.numpy() > 0, PATCHES, 1)
        if modality == "structured":
            given: Flags = self.batch.value_present.numpy() > 0
            return given
        found = np.zeros((len(self), self.width), np.bool_)
        words = self.words.numpy()
        rows, places = np.nonzero(words != NO_WORD)
        found[rows, words[rows, places]] = self.batch.text_present.numpy()[rows, 0] > 0
        return found


def read_cases(films: Sequence[Film], tokenizer: Tokenizer, seed: int) -> Cases:
    """Simulate a case around each film, in words that training never read, and lay out what its tests need.

    Args:
        films: of a split that the checkpoint was not trained on.
        tokenizer: of the checkpoint.
        seed: of the simulation.
    """
    charts = cases_of(films, seed, grammar="test")
    inputs = inputs_of(films, arrays_of(charts, tokenizer))
    notes = [chart.note or "" for chart in charts]
    offsets = [encoded.offsets for encoded in tokenizer.encode_batch(notes)]
    words = np.stack([word_places(note, places) for note, places in zip(notes, offsets, strict=True)])
    batch = trimmed(Batch(**{name: torch.from_numpy(array) for name, array in inputs.items()}))
    return Cases(
        batch,
        blur(batch.image),
        torch.from_numpy(words[:, : batch.tokens.shape[1]]),
        max(int(words.max(initial=0)) + 1, 1),
        tuple(film.group for film in films),
        tuple(range(len(films))),
    )


def trimmed(batch: Batch) -> Batch:
    """Cut away the columns of `tokens` that are padding in every case."""
    longest = max(int((batch.tokens != 0).sum(1).max()), 1)
    return replace(batch, tokens=batch.tokens[:, :longest])


def word_places(note: str, offsets: Sequence[tuple[int, int]]) -> npt.NDArray[np.int64]:
    """Return the word that each word piece belongs to, (T,).

    Words are those of `explain.words`, which the page marks: one word with its little words, or a whole negation.
    """
    parts = pieces(note)
    starts = [part.start for part in parts]
    found = np.full(len(offsets), NO_WORD, np.int64)
    for number, (start, end) in enumerate(offsets):
        place = bisect_right(starts, start) - 1
        if end > start and place >= 0 and start < parts[place].end:
            found[number] = place
    return found


def blur(images: Tensor) -> Tensor:
    """Blur films (N, 1, S, S) in 0..1 as the second tier does where it covers a part of one."""
    return torch.from_numpy(np.stack([blurred(film) for film in images[:, 0].numpy()])[:, None])
