"""The shape of the preset `base`: ViT-B/16 and BioBERT-base under the same fusion as `compact`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import TypeAdapter, ValidationError

from inference.manifest import CheckpointError
from inference.model.config import ModelConfig

Triple = tuple[float, float, float]
HALF: Final = (0.5, 0.5, 0.5)


@dataclass(frozen=True, slots=True)
class BaseConfig(ModelConfig):
    """Sizes of ViT-B/16 (Dosovitskiy et al. 2021) and BioBERT-base (Lee et al. 2020), which a source may replace.

    Attributes:
        preset: tells this configuration from `compact` in a file.
        image_inner: width inside the perceptrons of the image encoder.
        image_epsilon: what its layer norms add to the variance.
        image_mean: grey 0..1 that each of the three channels calls 0.
        image_deviation: grey that each channel calls 1.
        text_inner: width inside the perceptrons of the text encoder.
        text_epsilon: what its layer norms add to the variance.
    """

    preset: Literal["base"] = "base"
    image_width: int = 768
    image_depth: int = 12
    image_heads: int = 12
    image_inner: int = 3072
    image_epsilon: float = 1e-12
    image_mean: Triple = HALF
    image_deviation: Triple = HALF
    vocabulary: int = 28996  # BERT's cased word pieces, which BioBERT kept
    text_width: int = 768
    text_depth: int = 12
    text_heads: int = 12
    text_inner: int = 3072
    text_epsilon: float = 1e-12
    fusion_width: int = 256
    fusion_heads: int = 8


def read_base_config(path: Path, stated: Mapping[str, Any]) -> BaseConfig:
    """Rebuild a configuration from its fields as JSON has them (`dataclasses.asdict`), found in the file `path`.

    Raises:
        CheckpointError: a field is unknown or of another kind.
    """
    if unknown := sorted(set(stated) - {field.name for field in fields(BaseConfig)}):
        raise CheckpointError(f"{path} states unknown sizes of a base model ({', '.join(unknown)}): train it again")
    try:
        return TypeAdapter(BaseConfig).validate_python({**stated})
    except ValidationError as error:
        wrong = ", ".join(".".join(map(str, fault["loc"])) for fault in error.errors())
        raise CheckpointError(f"{path} states wrong sizes of a base model ({wrong}): train it again") from error
