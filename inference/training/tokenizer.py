"""Notes and medical English -> a word-piece tokenizer of the model's own size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import WordPieceTrainer

from inference.training.data.medqa import read_questions

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> Tokenizer:
    """Learn lower-case word pieces from texts; `[PAD]` is piece 0, a text is framed as `[CLS] … [SEP]`."""
    tokenizer = Tokenizer(WordPiece(unk_token="[UNK]"))  # noqa: S106 - a word piece, no password
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.train_from_iterator(texts, WordPieceTrainer(vocab_size=vocabulary, special_tokens=SPECIAL))
    ids = [("[CLS]", tokenizer.token_to_id("[CLS]")), ("[SEP]", tokenizer.token_to_id("[SEP]"))]
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ids)
    return tokenizer


def read_medqa(path: Path) -> Iterator[str]:
    """Yield the questions of a MedQA file: English that no grammar of ours wrote.

    Raises:
        FolderError: a line is no question.
    """
    return (question.text for question in read_questions(path))
