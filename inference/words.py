"""Note -> word pieces with the characters they stand for, and how much of the note the tokenizer knows.

This module knows nothing of patients or of the graph.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tokenizers import Tokenizer

from inference.contract import TEXT_TOKENS
from inference.manifest import CheckpointError

PADDING: Final = "[PAD]"
UNKNOWN: Final = "[UNK]"
IDEOGRAPHS: Final = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
WORD: Final = re.compile(rf"[{IDEOGRAPHS}]|[^\W\d_{IDEOGRAPHS}]+")
"""Chinese and Japanese leave no blanks between words: each ideograph counts as one, or a note has too few."""
MIN_WORDS: Final = 5
"""Fewer words than this say too little to tell a language by."""

Offsets = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Pieces:
    """A note as `TEXT_TOKENS` word-piece ids, with the characters (start, end) behind each."""

    ids: tuple[int, ...]
    offsets: Offsets
    truncated: bool


def open_tokenizer(path: Path) -> Tokenizer:
    """Open tokenizer.json so that every text becomes exactly `TEXT_TOKENS` pieces.

    Raises:
        CheckpointError: it does not frame and pad texts as the contract says, or has no token for unknown words.
    """
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.enable_truncation(max_length=TEXT_TOKENS)
    tokenizer.enable_padding(length=TEXT_TOKENS, pad_id=0, pad_token=PADDING)
    empty = tokenizer.encode("").tokens
    if empty != ["[CLS]", "[SEP]"] + [PADDING] * (TEXT_TOKENS - 2) or tokenizer.token_to_id(PADDING) != 0:
        raise CheckpointError(f"{path} must frame a text as [CLS] … [SEP] and pad with [PAD] = 0: export again")
    if tokenizer.token_to_id(UNKNOWN) is None:
        raise CheckpointError(f"{path} has no {UNKNOWN} token: train the tokenizer with one")
    return tokenizer


def split_note(tokenizer: Tokenizer, text: str) -> Pieces:
    """Split a note into pieces; what does not fit is cut off at the end."""
    encoding = tokenizer.encode(text)
    return Pieces(tuple(encoding.ids), tuple(encoding.offsets), bool(encoding.overflowing))


def unfamiliar_share(tokenizer: Tokenizer, text: str, ids: Sequence[int], offsets: Offsets) -> float:
    """Return the share of words that are not one whole word of the vocabulary, 0..1.

    A word is a run of letters, or one ideograph. The tokenizer keeps common words whole and takes rare and foreign ones
    to pieces, so that text in another language stands out without a word list. Under `MIN_WORDS` words the share is 0.
    """
    unknown = tokenizer.token_to_id(UNKNOWN)
    pieces_at = {start: identifier for identifier, (start, end) in zip(ids, offsets, strict=True) if end > start}
    ends_at = {start: end for start, end in offsets if end > start}
    seen = max((end for _, end in offsets), default=0)
    words = [(word.start(), word.end()) for word in WORD.finditer(text, 0, seen)]
    if len(words) < MIN_WORDS:
        return 0.0
    whole = [ends_at.get(start) == end and pieces_at[start] != unknown for start, end in words]
    return 1 - sum(whole) / len(words)
