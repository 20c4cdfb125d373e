"""Word pieces of a note -> text tokens, by the BERT of `transformers`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from torch import Tensor, nn
from transformers import BertConfig, BertModel

from inference.model.hugging_face.config import BaseConfig
from inference.model.text import PADDING, padding_bias

POSITIONS: Final = "embeddings.position_embeddings.weight"
SEGMENTS: Final = "embeddings.token_type_embeddings.weight"


class HuggingFaceTextEncoder(nn.Module):
    """BERT over one note.

    It holds positions for the contract's tokens and the first segment only: the rest of the published tables would
    never be read, nor ever learn.
    """

    def __init__(self, config: BaseConfig) -> None:
        super().__init__()
        self.config = config
        shape = BertConfig(
            vocab_size=config.vocabulary,
            hidden_size=config.text_width,
            num_hidden_layers=config.text_depth,
            num_attention_heads=config.text_heads,
            intermediate_size=config.text_inner,
            layer_norm_eps=config.text_epsilon,
            max_position_embeddings=config.text_tokens,
            type_vocab_size=1,
            hidden_dropout_prob=config.dropout,
            attention_probs_dropout_prob=config.dropout,
            pad_token_id=PADDING,
        )
        self.bert = BertModel(shape, add_pooling_layer=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """Encode word-piece ids (B, N), padded with `PADDING`, into tokens (B, N, width)."""
        # A mask of four axes is added to the scores as it is: finite where a note is padding throughout.
        encoded: Tensor = self.bert(tokens, attention_mask=padding_bias(tokens)).last_hidden_state
        return encoded

    def place(self, weights: Mapping[str, Tensor]) -> None:
        """Take over weights that passed `layout.bert_layout`, and of the position table what is read."""
        cut = {POSITIONS: weights[POSITIONS][: self.config.text_tokens], SEGMENTS: weights[SEGMENTS][:1]}
        self.bert.load_state_dict({**weights, **cut})
