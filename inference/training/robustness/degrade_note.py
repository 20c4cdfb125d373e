"""A note -> the same note typed in haste, out of order, in other words, or cut short."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np

from fhir_adapter.record import PatientRecord
from inference.training.cohort.stream import Stream
from inference.training.cohort.typing_errors import SHORTEST, misspell
from inference.training.robustness.kind import Degradation, Kind, Subject

SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+")


def mistype_words(text: str, share: float, rng: np.random.Generator) -> str:
    """Misspell a share of the words that have letters alone and four of them at least; numbers stay as they are."""
    stream = Stream(rng)
    words = text.split(" ")
    for place, word in enumerate(words):
        if len(word) < SHORTEST or not word.rstrip(".,;:").isalpha():
            continue
        # Drawn for every word, whether it is used or not: a larger share then holds the errors of a smaller one.
        chance, wrong = stream.uniform(), misspell(word, stream)
        words[place] = wrong if chance < share else word
    return " ".join(words)


def shuffle_sentences(text: str, reach: float, rng: np.random.Generator) -> str:
    """Let each sentence fall back by up to `reach` places; headings move with their first sentence."""
    sentences = SENTENCE_END.split(text)
    places = np.arange(len(sentences)) + reach * rng.random(len(sentences))
    return " ".join(sentences[place] for place in np.argsort(places, kind="stable"))


def cut_short(text: str, lost: float, _: np.random.Generator) -> str:
    """Leave out the last share of the words; one stays at least."""
    words = text.split(" ")
    return " ".join(words[: max(1, round(len(words) * (1 - lost)))])


def on_notes(change: Callable[[str, float, np.random.Generator], str]) -> Degradation:
    """Let a change of text work on the notes of a chart."""

    def degrade(subject: Subject, strength: float, rng: np.random.Generator) -> PatientRecord:
        notes = tuple(
            replace(note, text=change(note.text, strength, rng), sections=()) for note in subject.record.notes
        )
        return replace(subject.record, notes=notes)

    return degrade


def reword(subject: Subject, share: float, rng: np.random.Generator) -> PatientRecord:
    """Give a share of the charts their note in the wordings of the training notes: the same child, the same findings.

    The test notes share no sentence with those, so this shows how much of what is read hangs on wording.
    """
    if subject.reworded is None or rng.random() >= share:
        return subject.record
    notes = tuple(replace(note, text=subject.reworded, sections=()) for note in subject.record.notes)
    return replace(subject.record, notes=notes)


NOTE_KINDS: Final = (
    Kind("text", "typos", "share of words misspelt", (0, 0.05, 0.1, 0.2, 0.4), on_notes(mistype_words)),
    Kind("text", "order", "places a sentence may fall back", (0, 2, 4, 8, 64), on_notes(shuffle_sentences)),
    Kind("text", "template", "share of notes in training words", (0, 0.25, 0.5, 0.75, 1), reword),
    Kind("text", "cut", "share of words lost", (0, 0.2, 0.4, 0.6, 0.8), on_notes(cut_short)),
)
