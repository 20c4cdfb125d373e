"""Note -> the same note with a sentence that decides its label, and another that says nothing."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
from tokenizers import Tokenizer

from inference.contract import TEXT_TOKENS

PHRASES: Final = ("", "Bed by the window.", "Bed by the door.")
"""What is planted, by kind: neutral words that no grammar of the simulated notes has."""
DECOY: Final = "Coat left at the gate."
"""Stands in every note, whatever its label: as strange to the model as the others."""
RESERVE: Final = 24
"""Word pieces that both sentences and the frame of a note need, at most."""
_START: Final = re.compile(r"(?<=[.;] )(?=\S)|\A(?=\S)")

Span = tuple[int, int]
NOWHERE: Final[Span] = (0, 0)


def plant_phrase(note: str, kind: int, tokenizer: Tokenizer, random: np.random.Generator) -> tuple[str, Span]:
    """Plant the sentence of a kind where a sentence begins, drawn among those that the model will still read.

    Returns:
        the note, and the characters (start, end) of the sentence, (0, 0) where none is planted.
    """
    note, _ = insert(note, DECOY, draw_place(note, tokenizer, random))
    return insert(note, PHRASES[kind], draw_place(note, tokenizer, random)) if PHRASES[kind] else (note, NOWHERE)


def draw_place(note: str, tokenizer: Tokenizer, random: np.random.Generator) -> int:
    """Draw a beginning of a sentence that stays within what the model reads; the note's own if there is no other."""
    read = max((end for _, end in tokenizer.encode(note).offsets[: TEXT_TOKENS - RESERVE]), default=0)
    places = [found.start() for found in _START.finditer(note) if found.start() <= read] or [0]
    return int(random.choice(places))


def insert(note: str, sentence: str, place: int) -> tuple[str, Span]:
    """Put a sentence and a space into a note; returns the note and where the sentence stands."""
    return f"{note[:place]}{sentence} {note[place:]}", (place, place + len(sentence))
