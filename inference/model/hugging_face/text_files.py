"""Weights of a BERT in the Hugging Face layout -> its sizes, and its weights without heads."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from torch import Tensor

from inference.manifest import CheckpointError
from inference.model.hugging_face.config import BaseConfig
from inference.model.hugging_face.files import CONFIG, WeightsFile, read_json
from inference.model.hugging_face.layout import bert_layout, check_layout, without_heads
from inference.model.hugging_face.settings import BertSettings, read_settings
from inference.model.hugging_face.text import POSITIONS

HEADS: Final = (
    "cls.",
    "classifier.",
    "qa_outputs.",
    "cls_projection_head.",
    "pooler.",
    # Counters that older versions stored; they are no weights.
    "embeddings.position_ids",
    "embeddings.token_type_ids",
)
OLD_NAMES: Final = ((".gamma", ".weight"), (".beta", ".bias"))
"""What the first converters from TensorFlow called the weights of a layer norm."""
WANTED: Final = "a BERT in the Hugging Face layout, such as dmis-lab/biobert-base-cased-v1.2"


def read_bert(file: WeightsFile, config: BaseConfig) -> tuple[BaseConfig, dict[str, Tensor]]:
    """Return `config` with the sizes of a file, and its weights checked, without prefix and heads.

    Raises:
        CheckpointError: settings or weights are not those of a BERT that can be used.
    """
    path = file.path.parent / CONFIG
    found = read_settings(path, BertSettings, read_json(path), WANTED)
    sized = replace(
        config,
        vocabulary=found.vocab_size,
        text_width=found.hidden_size,
        text_depth=found.num_hidden_layers,
        text_heads=found.num_attention_heads,
        text_inner=found.intermediate_size,
        text_epsilon=found.layer_norm_eps,
    )
    weights = without_heads({new_name(name): tensor for name, tensor in file.weights.items()}, "bert.", HEADS)
    check_layout(file.path, weights, bert_layout(sized), WANTED)
    if weights[POSITIONS].shape[0] < config.text_tokens:
        raise CheckpointError(
            f"{file.path} has {POSITIONS} for {weights[POSITIONS].shape[0]} word pieces where a note may have "
            f"{config.text_tokens}: give {WANTED}"
        )
    return sized, weights


def new_name(name: str) -> str:
    """Return today's name of a weight."""
    for old, new in OLD_NAMES:
        if name.endswith(old):
            return name.removesuffix(old) + new
    return name
