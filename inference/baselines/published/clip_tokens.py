"""Text -> token ids of CLIP's byte-pair encoding, from vocabulary files that the user gives."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import torch
from torch import Tensor
from transformers import (  # type: ignore[attr-defined]  # transformers makes this alias at run time
    CLIPTokenizerFast,
    PreTrainedTokenizerBase,
)

from inference.manifest import CheckpointError

VOCABULARY: Final = 49408
"""Tokens of the published files: 256 bytes, each also at the end of a word, the merges, start and end of text."""
START: Final = "<|startoftext|>"
END: Final = "<|endoftext|>"
WORD_END: Final = "</w>"


def open_clip_tokenizer(source: Path) -> PreTrainedTokenizerBase:
    """Open the tokenizer in a folder (`tokenizer.json`, or `vocab.json` and `merges.txt`) or in OpenAI's merges file.

    Args:
        source: the folder, or `bpe_simple_vocab_16e6.txt.gz`, which CheXzero's repository holds.

    Raises:
        CheckpointError: there is no such file.
    """
    if source.is_file():
        return from_merges(source)
    # Asked for an empty folder, transformers hands back a tokenizer that knows no word, without a complaint.
    if not (source / "tokenizer.json").is_file() and not (
        (source / "vocab.json").is_file() and (source / "merges.txt").is_file()
    ):
        raise CheckpointError(
            f"{source} holds no CLIP vocabulary: give a folder with tokenizer.json, or with vocab.json and merges.txt, "
            "or the file bpe_simple_vocab_16e6.txt.gz"
        )
    tokenizer: PreTrainedTokenizerBase = CLIPTokenizerFast.from_pretrained(source, local_files_only=True)
    return tokenizer


def from_merges(path: Path) -> PreTrainedTokenizerBase:
    """Make the tokenizer from OpenAI's file: a line of heading, then one merge a line, of which CLIP uses the first."""
    try:
        lines = gzip.decompress(path.read_bytes()).decode().split("\n")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{path} is no gzip file of merges: take it from CheXzero's repository") from error
    letters = byte_letters()
    rows = [line.split() for line in lines[1 : 1 + VOCABULARY - 2 * len(letters) - 2] if line]
    if not rows or any(len(row) != 2 for row in rows):
        raise CheckpointError(f"{path} does not hold one merge of two pieces a line: download it again")
    merges = [(first, second) for first, second in rows]
    pieces = [*letters, *(letter + WORD_END for letter in letters), *map("".join, merges), START, END]
    vocabulary = {piece: place for place, piece in enumerate(pieces)}
    tokenizer: PreTrainedTokenizerBase = CLIPTokenizerFast(vocab=vocabulary, merges=merges)
    return tokenizer


def byte_letters() -> list[str]:
    """Return the letter that stands for each byte, in the order of CLIP's ids: printable bytes as themselves first."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = 256 - len(printable)
    return [chr(byte) for byte in printable] + [chr(256 + place) for place in range(others)]


def check_vocabulary(tokenizer: PreTrainedTokenizerBase, vocabulary: int) -> None:
    """Refuse a vocabulary that is not the one a model was trained on.

    Raises:
        CheckpointError: the end of text is not the last of `vocabulary` ids, where CLIP looks for it.
    """
    if tokenizer.convert_tokens_to_ids(END) != vocabulary - 1:
        raise CheckpointError(
            f"the vocabulary does not end at {vocabulary} tokens with {END}, as the checkpoint has it: "
            "give the vocabulary that was published with the checkpoint"
        )


def tokenise(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], context: int) -> Tensor:
    """Write texts as ids (B, context): start, pieces, end, padding; a text too long keeps its end token."""
    coded = tokenizer(list(texts), padding="max_length", truncation=True, max_length=context)
    return torch.tensor(coded["input_ids"])
