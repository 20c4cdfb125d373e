"""Text -> the same text as typed in a hurry. Numbers stay as they are."""

from __future__ import annotations

from typing import Final

from inference.training.cohort.stream import Stream

SHORTEST: Final = 4
"""Shorter words are left alone: one letter less turns `no` into another word."""


def mistype(text: str, stream: Stream, share: float) -> str:
    """Misspell a share of the words. Swapping two equal letters leaves a word as it was."""
    words = text.split(" ")
    places = [place for place, word in enumerate(words) if len(word) >= SHORTEST and word.rstrip(".,;:").isalpha()]
    for place in places:
        # The share is of all words, so words that are left alone do not lower it.
        if stream.chance(share * len(words) / len(places)):
            words[place] = misspell(words[place], stream)
    return " ".join(words)


def misspell(word: str, stream: Stream) -> str:
    """Swap two neighbouring letters, or drop or double one; the first letter stays."""
    place = stream.between(1, len(word) - 3)
    kind = stream.between(0, 2)
    if kind == 0:
        return f"{word[:place]}{word[place + 1]}{word[place]}{word[place + 2 :]}"
    return word[:place] + word[place + 1 :] if kind == 1 else word[: place + 1] + word[place:]
