"""The sizes that all compared systems share: none of them may win by being bigger."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """What a compared system is built from; the first five are those of the checkpoint it is compared with."""

    channels: int  # of the convolutional map that every system reads instead of pixels
    grid: int  # side of that map
    vocabulary: int  # word pieces
    text_tokens: int
    classes: int
    width: int = 128
    heads: int = 4
    text_depth: int = 2
    image_depth: int = 2
    pieces: int = 64  # width of the word-piece table; a linear layer widens it, as in ALBERT
    joint: int = 128  # of the embedding in which image and text meet
    dropout: float = 0.1
