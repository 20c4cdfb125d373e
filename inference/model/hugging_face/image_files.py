"""Weights of a ViT as Hugging Face or timm stores them -> its sizes, and weights under Hugging Face's names."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from torch import Tensor

from inference.manifest import CheckpointError
from inference.model.hugging_face.config import BaseConfig
from inference.model.hugging_face.files import CONFIG, WeightsFile, read_json
from inference.model.hugging_face.image import POSITIONS, resample_positions
from inference.model.hugging_face.layout import check_layout, vit_layout, without_heads
from inference.model.hugging_face.settings import Preprocessing, VitSettings, read_settings
from inference.model.hugging_face.timm import is_timm, read_timm

PREPROCESSING: Final = "preprocessor_config.json"
HEADS: Final = ("pooler.", "classifier.", "decoder.", "embeddings.mask_token")
WANTED: Final = "a Vision Transformer of 16-pixel patches with a class token, such as google/vit-base-patch16-224-in21k"


def read_vit(file: WeightsFile, config: BaseConfig) -> tuple[BaseConfig, dict[str, Tensor]]:
    """Return `config` with the sizes of a file, and its weights checked, under Hugging Face's names.

    Raises:
        CheckpointError: settings or weights are not those of a ViT that can be used.
    """
    read = read_timm if is_timm(file) else read_hugging_face
    sized, weights = read(file, config, WANTED)
    try:
        resample_positions(weights[POSITIONS], config.image_size // config.patch)
    except ValueError as error:
        raise CheckpointError(f"{file.path} has a position table of the wrong shape: {error}. Give {WANTED}") from error
    return sized, weights


def read_hugging_face(file: WeightsFile, config: BaseConfig, wanted: str) -> tuple[BaseConfig, dict[str, Tensor]]:
    """Read a ViT stored by `transformers`, alone or inside a larger model."""
    folder = file.path.parent
    found = read_settings(folder / CONFIG, VitSettings, read_json(folder / CONFIG), wanted)
    path = folder / PREPROCESSING
    scaling = read_settings(path, Preprocessing, read_json(path) if path.exists() else {}, wanted)
    sized = replace(
        config,
        image_width=found.hidden_size,
        image_depth=found.num_hidden_layers,
        image_heads=found.num_attention_heads,
        image_inner=found.intermediate_size,
        image_epsilon=found.layer_norm_eps,
        image_mean=scaling.image_mean if scaling.do_normalize else (0.0, 0.0, 0.0),
        image_deviation=scaling.image_std if scaling.do_normalize else (1.0, 1.0, 1.0),
    )
    weights = without_heads(file.weights, "vit.", HEADS)
    check_layout(file.path, weights, vit_layout(sized), wanted)
    return sized, weights
