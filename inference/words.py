"""Note -> word pieces with the characters they stand for, and how much of the note the tokenizer knows.

This module knows nothing of patients or of the graph.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tokenizers import Encoding, Tokenizer

from fhir_adapter.record import Section
from inference.contract import TEXT_TOKENS
from inference.manifest import CheckpointError
from inference.note_budget import choose_pieces, unread_spans

PADDING: Final = "[PAD]"
UNKNOWN: Final = "[UNK]"
IDEOGRAPHS: Final = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
WORD: Final = re.compile(rf"[{IDEOGRAPHS}]|[^\W\d_{IDEOGRAPHS}]+")
"""Chinese and Japanese leave no blanks between words: each ideograph counts as one, or a note has too few."""
MIN_WORDS: Final = 5
"""Fewer words than this say too little to tell a language by."""

NO_TEXT: Final = (0, 0)
"""The characters behind [CLS], [SEP] and padding."""

Offsets = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Pieces:
    """A note as `TEXT_TOKENS` word-piece ids, with the characters (start, end) behind each.

    Attributes:
        truncated: True when something was left out.
        unread: characters (start, end) of what was left out.
    """

    ids: tuple[int, ...]
    offsets: Offsets
    truncated: bool
    unread: Offsets = ()


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


def split_note(tokenizer: Tokenizer, text: str, sections: Sequence[Section] = ()) -> Pieces:
    """Split a note into pieces; of a note that does not fit, the sentences that count most are read.

    Without sections what does not fit is cut off at the end. Offsets are those of the whole text in any case.
    """
    encoding = tokenizer.encode(text)
    if not encoding.overflowing:
        return Pieces(tuple(encoding.ids), tuple(encoding.offsets), truncated=False)
    if sections:
        return _chosen(encoding, text, sections)
    unread = unread_spans(text, [place for place in encoding.offsets if place[1] > place[0]])
    return Pieces(tuple(encoding.ids), tuple(encoding.offsets), truncated=True, unread=unread)


def _chosen(encoding: Encoding, text: str, sections: Sequence[Section]) -> Pieces:
    """Return the pieces of the chosen sentences in the frame of the encoding: [CLS] … [SEP] and padding."""
    parts = [encoding, *encoding.overflowing]
    whole = [
        (identifier, place)
        for part in parts
        for identifier, place, framing in zip(part.ids, part.offsets, part.special_tokens_mask, strict=True)
        if not framing
    ]
    taken = choose_pieces(text, [place for _, place in whole], sections, TEXT_TOKENS - 2)
    ids = [encoding.ids[0], *(whole[number][0] for number in taken), encoding.ids[-1]]
    read = [whole[number][1] for number in taken]
    padding = TEXT_TOKENS - len(ids)
    offsets = (NO_TEXT, *read, NO_TEXT, *(NO_TEXT,) * padding)
    return Pieces((*ids, *(0,) * padding), offsets, truncated=True, unread=unread_spans(text, read))


def unfamiliar_share(tokenizer: Tokenizer, text: str, ids: Sequence[int], offsets: Offsets) -> float:
    """Return the share of words that are not one whole word of the vocabulary, 0..1.

    A word is a run of letters, or one ideograph. The tokenizer keeps common words whole and takes rare and foreign ones
    to pieces, so that text in another language stands out without a word list. Under `MIN_WORDS` words the share is 0.
    Words that were left out (`Pieces.unread`) do not count.
    """
    unknown = tokenizer.token_to_id(UNKNOWN)
    pieces_at = {start: identifier for identifier, (start, end) in zip(ids, offsets, strict=True) if end > start}
    ends_at = {start: end for start, end in offsets if end > start}
    read, seen = sorted(ends_at.items()), max(ends_at.values(), default=0)
    words = [word.span() for word in WORD.finditer(text, 0, seen) if _is_read(*word.span(), read)]
    if len(words) < MIN_WORDS:
        return 0.0
    whole = [ends_at.get(start) == end and pieces_at[start] != unknown for start, end in words]
    return 1 - sum(whole) / len(words)


def _is_read(start: int, end: int, read: Sequence[tuple[int, int]]) -> bool:
    """Return whether a piece stands for any of the characters; `read` are those of all pieces, in order."""
    before = bisect_left(read, (end, 0)) - 1
    return before >= 0 and read[before][1] > start
