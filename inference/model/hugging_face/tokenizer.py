"""vocab.txt of a BERT folder -> the word pieces that `inference.words` reads as tokenizer.json."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

from inference.contract import TEXT_TOKENS
from inference.manifest import CheckpointError
from inference.model.hugging_face.files import CONFIG, read_json
from inference.model.hugging_face.settings import TokenizerSettings, read_settings
from inference.model.text import PADDING
from inference.words import PADDING as PADDING_PIECE
from inference.words import UNKNOWN

VOCABULARY: Final = "vocab.txt"
SETTINGS: Final = "tokenizer_config.json"
START, END = "[CLS]", "[SEP]"


def tokenizer_of(folder: Path) -> Tokenizer:
    """Make the tokenizer of a BERT folder: a text becomes `[CLS] … [SEP]`, exactly `TEXT_TOKENS` pieces long.

    Upper case is kept where tokenizer_config.json says so, or says nothing and the vocabulary has upper-case pieces:
    transformers itself would then lower-case BioBERT's notes, whose vocabulary is cased.
    No text of a note can become a control piece.

    Raises:
        CheckpointError: the vocabulary is missing, lacks a control piece, or has more pieces than the model knows.
    """
    path = folder / VOCABULARY
    vocabulary = read_vocabulary(path)
    if len(vocabulary) > (known := known_pieces(folder, len(vocabulary))):
        raise CheckpointError(
            f"{path} has {len(vocabulary)} pieces, {folder / CONFIG} {known}: give files of one model"
        )
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token=UNKNOWN))
    tokenizer.normalizer = normaliser(folder, vocabulary)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    frame = [(piece, vocabulary[piece]) for piece in (START, END)]
    tokenizer.post_processor = TemplateProcessing(single=f"{START} $A {END}", special_tokens=frame)
    tokenizer.enable_truncation(max_length=TEXT_TOKENS)
    tokenizer.enable_padding(length=TEXT_TOKENS, pad_id=PADDING, pad_token=PADDING_PIECE)
    return tokenizer


def read_vocabulary(path: Path) -> dict[str, int]:
    """Read one piece a line; its place is its id."""
    try:
        pieces = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{path} cannot be read: give a BERT folder with its {VOCABULARY}") from error
    vocabulary = {piece.removesuffix("\r"): place for place, piece in enumerate(pieces) if piece}
    if missing := [piece for piece in (PADDING_PIECE, UNKNOWN, START, END) if piece not in vocabulary]:
        raise CheckpointError(f"{path} lacks {', '.join(missing)}: give the vocabulary of a BERT")
    if vocabulary[PADDING_PIECE] != PADDING:
        raise CheckpointError(f"{path} must have {PADDING_PIECE} in its first line: give the vocabulary of a BERT")
    return vocabulary


def known_pieces(folder: Path, otherwise: int) -> int:
    """Return how many word pieces the model beside the vocabulary knows; `otherwise` where there is none."""
    found = read_json(folder / CONFIG).get("vocab_size") if (folder / CONFIG).exists() else None
    return found if isinstance(found, int) else otherwise


def normaliser(folder: Path, vocabulary: dict[str, int]) -> BertNormalizer:
    """Make the cleaning step: control characters go, case and accents as the folder says."""
    path = folder / SETTINGS
    stated = read_json(path) if path.exists() else {}
    found = read_settings(path, TokenizerSettings, stated, "true, false or nothing")
    cased = any(piece != piece.lower() for piece in vocabulary if not piece.startswith("["))
    lower = not cased if found.do_lower_case is None else found.do_lower_case
    return BertNormalizer(
        lowercase=lower, strip_accents=found.strip_accents, handle_chinese_chars=found.tokenize_chinese_chars
    )
