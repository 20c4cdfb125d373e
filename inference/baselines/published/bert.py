"""Tensors of a BERT in the Hugging Face layout -> its configuration; a vocabulary folder -> its tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from transformers import (  # type: ignore[attr-defined]  # transformers makes this alias at run time
    BertConfig,
    BertTokenizerFast,
    PreTrainedTokenizerBase,
)

from inference.baselines.published.layout import StateFile
from inference.manifest import CheckpointError

VOCABULARY_FILES: Final = ("tokenizer.json", "vocab.txt")


def bert_config(file: StateFile, prefix: str) -> BertConfig:
    """Read the configuration of the BERT under a prefix off the shapes of its tensors."""
    vocabulary, width = file.shape(f"{prefix}embeddings.word_embeddings.weight", 2)
    places, _ = file.shape(f"{prefix}embeddings.position_embeddings.weight", 2)
    types, _ = file.shape(f"{prefix}embeddings.token_type_embeddings.weight", 2)
    inner, _ = file.shape(f"{prefix}encoder.layer.0.intermediate.dense.weight", 2)
    return BertConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        num_hidden_layers=file.depth(f"{prefix}encoder.layer."),
        num_attention_heads=file.heads(width),
        intermediate_size=inner,
        max_position_embeddings=places,
        type_vocab_size=types,
    )


def open_bert_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """Open the word pieces in a folder, with the settings of its `tokenizer_config.json` where there is one.

    No code that lies in the folder is run. Without settings the text is put in lower case: Bio_ClinicalBERT, which is
    published so, was always used so by MedCLIP, cased as its vocabulary is.

    Raises:
        CheckpointError: the folder holds no vocabulary.
    """
    # Asked for an empty folder, transformers hands back a tokenizer that knows no word, without a complaint.
    if not any((folder / name).is_file() for name in VOCABULARY_FILES):
        raise CheckpointError(f"{folder} holds no word pieces: give a folder with {' or '.join(VOCABULARY_FILES)}")
    tokenizer: PreTrainedTokenizerBase = BertTokenizerFast.from_pretrained(folder, local_files_only=True)
    return tokenizer


def check_vocabulary(tokenizer: PreTrainedTokenizerBase, words: int) -> None:
    """Refuse word pieces that are not the ones a model was trained on.

    Raises:
        CheckpointError: there are other than `words` of them.
    """
    if len(tokenizer) != words:
        raise CheckpointError(
            f"the vocabulary has {len(tokenizer)} word pieces and the checkpoint {words}: "
            "give the vocabulary that was published with the checkpoint"
        )
