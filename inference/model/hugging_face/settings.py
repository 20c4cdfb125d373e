"""What config.json and its neighbours state -> the few settings that the encoders follow, checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from pydantic import BaseModel, PositiveFloat, PositiveInt, ValidationError, field_validator, model_validator

from inference.contract import PATCH
from inference.manifest import CheckpointError
from inference.model.hugging_face.config import HALF, Triple

Settings = TypeVar("Settings", bound=BaseModel)


class TransformerSettings(BaseModel):
    """Sizes that ViT and BERT state alike."""

    hidden_size: PositiveInt
    num_hidden_layers: PositiveInt
    num_attention_heads: PositiveInt
    intermediate_size: PositiveInt
    layer_norm_eps: PositiveFloat = 1e-12
    hidden_act: Literal["gelu"] = "gelu"

    @model_validator(mode="after")
    def divide_width(self) -> Self:
        """Refuse a width that the heads do not divide."""
        if self.hidden_size % self.num_attention_heads:
            raise ValueError("hidden_size is no multiple of num_attention_heads")
        return self


class VitSettings(TransformerSettings):
    """The config.json of a ViT."""

    model_type: Literal["vit"] = "vit"
    patch_size: PositiveInt
    num_channels: Literal[3] = 3
    qkv_bias: Literal[True] = True

    @field_validator("patch_size")
    @classmethod
    def fit_contract(cls, patch: int) -> int:
        """Refuse patches whose tokens are not the contract's."""
        if patch != PATCH:
            raise ValueError(f"patches are {patch} pixels wide where {PATCH} are needed")
        return patch


class BertSettings(TransformerSettings):
    """The config.json of a BERT."""

    model_type: Literal["bert", "cxr-bert"] = "bert"  # CXR-BERT is a BERT with one more head
    vocab_size: PositiveInt
    position_embedding_type: Literal["absolute"] = "absolute"
    pad_token_id: Literal[0] = 0
    is_decoder: Literal[False] = False


class Preprocessing(BaseModel):
    """Mean and deviation of each channel, grey 0..1; the defaults are those of ViT."""

    do_normalize: bool = True
    image_mean: Triple = HALF
    image_std: tuple[PositiveFloat, PositiveFloat, PositiveFloat] = HALF


class TokenizerSettings(BaseModel):
    """What tokenizer_config.json says of case; None where it says nothing."""

    do_lower_case: bool | None = None
    strip_accents: bool | None = None
    tokenize_chinese_chars: bool = True


def read_settings(path: Path, kind: type[Settings], content: Mapping[str, Any], wanted: str) -> Settings:
    """Check what a file of settings states; `wanted` says what to give instead.

    Raises:
        CheckpointError: a setting is missing, or has a value that the encoder cannot follow.
    """
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg'].lower()}" for fault in error.errors())
        raise CheckpointError(f"{path} states what cannot be used ({faults}): give {wanted}") from error
