"""File of the text model of BioViL or BioViL-T (CXR-BERT) -> an encoder of phrases (Boecking et al. 2022)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everyone gives it
from transformers import BertConfig, BertForMaskedLM, PreTrainedTokenizerBase

from inference.baselines.published.bert import bert_config
from inference.baselines.published.layout import StateFile
from inference.baselines.published.protocol import device_of

CLOSING: Final = "!?."
"""Marks that the authors take off the end of a phrase."""
TOLERATED: Final = ("embeddings.position_ids", "cls.predictions.decoder.weight", "cls.predictions.decoder.bias")
"""Counting tables of older transformers; and what is one with another tensor, which safetensors files leave out."""


class ProjectionHead(nn.Module):
    """From the state of [CLS] to the space shared with the image model."""

    def __init__(self, width: int, embed: int) -> None:
        super().__init__()
        self.dense_to_hidden = nn.Linear(width, embed)
        self.LayerNorm = nn.LayerNorm(embed, eps=1e-12)
        self.dense_to_output = nn.Linear(embed, embed)

    def forward(self, state: Tensor) -> Tensor:
        """Map (B, D) to (B, E)."""
        mapped: Tensor = self.dense_to_output(self.LayerNorm(F.gelu(self.dense_to_hidden(state))))
        return mapped


class CxrBert(nn.Module):
    """BERT with its head for hidden words, which nothing here uses, and the projection."""

    def __init__(self, config: BertConfig, embed: int) -> None:
        super().__init__()
        whole = BertForMaskedLM(config)
        self.bert, self.cls = whole.bert, whole.cls
        self.cls_projection_head = ProjectionHead(config.hidden_size, embed)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Encode token ids (B, N) and their mask (B, N) to vectors (B, E) of length 1."""
        states = self.bert(tokens, attention_mask=mask).last_hidden_state
        return F.normalize(self.cls_projection_head(states[:, 0]), dim=-1)


def open_text_model(path: Path) -> CxrBert:
    """Load the text model.

    Raises:
        CheckpointError: it is no CXR-BERT; the message names what does not fit.
    """
    file = StateFile.open(path, "CXR-BERT")
    embed, _ = file.shape("cls_projection_head.dense_to_hidden.weight", 2)
    config = bert_config(file, "bert.")
    # Tied, the head for hidden words would overwrite the words where a file has them apart.
    config.tie_word_embeddings = False
    model = CxrBert(config, embed)
    file.fill(model, tolerated=TOLERATED)
    return model


def embed_phrases(model: CxrBert, tokenizer: PreTrainedTokenizerBase, phrases: Sequence[str]) -> Tensor:
    """Encode phrases to vectors (K, E) of length 1.

    Raises:
        ValueError: a phrase is longer than the model reads.
    """
    coded = tokenizer([phrase.rstrip(CLOSING) for phrase in phrases], padding=True, return_tensors="pt")
    longest = model.bert.config.max_position_embeddings
    if coded["input_ids"].shape[1] > longest:
        raise ValueError(f"a phrase may have {longest} word pieces at most: give a shorter one")
    device = device_of(model)
    with torch.inference_mode():
        encoded: Tensor = model(coded["input_ids"].to(device), coded["attention_mask"].to(device))
    return encoded
