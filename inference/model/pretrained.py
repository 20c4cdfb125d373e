"""Published ViT and BioBERT weights -> the M-LLM of the preset `base`.

This module knows sources and wholes; what files look like is in `inference.model.hugging_face`.
"""

from __future__ import annotations

from pathlib import Path

from inference.model.hugging_face.config import BaseConfig
from inference.model.hugging_face.files import find_folder, read_weights
from inference.model.hugging_face.image import HuggingFaceImageEncoder
from inference.model.hugging_face.image_files import read_vit
from inference.model.hugging_face.text import HuggingFaceTextEncoder
from inference.model.hugging_face.text_files import read_bert
from inference.model.mllm import MultimodalModel


def load_image_encoder(source: str | Path, config: BaseConfig | None = None) -> HuggingFaceImageEncoder:
    """Load a ViT from a folder or from the hub (`owner/name` or `owner/name@revision`), ready to infer.

    Args:
        source: Hugging Face's layout, alone or inside a larger model, or timm's.
        config: its image sizes are replaced by those of the source, the others kept.

    Raises:
        CheckpointError: the source cannot be had, or is no ViT of the contract's patches.
    """
    sized, weights = read_vit(read_weights(find_folder(source)), config or BaseConfig())
    encoder = HuggingFaceImageEncoder(sized)
    encoder.place(weights)
    return encoder.eval()


def load_text_encoder(source: str | Path, config: BaseConfig | None = None) -> HuggingFaceTextEncoder:
    """Load a BERT, such as BioBERT, from a folder or from the hub, ready to infer.

    Args:
        source: Hugging Face's layout, alone or inside a larger model.
        config: its text sizes and vocabulary are replaced by those of the source, the others kept.

    Raises:
        CheckpointError: the source cannot be had, or is no BERT that reads notes of the contract's length.
    """
    sized, weights = read_bert(read_weights(find_folder(source)), config or BaseConfig())
    encoder = HuggingFaceTextEncoder(sized)
    encoder.place(weights)
    return encoder.eval()


def build_base(image_source: str | Path, text_source: str | Path, config: BaseConfig | None = None) -> MultimodalModel:
    """Put published encoders under a fusion that has yet to learn; sizes of fusion and dropout are those of `config`.

    Raises:
        CheckpointError: as `load_image_encoder` and `load_text_encoder`.
    """
    image = load_image_encoder(image_source, config)
    text = load_text_encoder(text_source, image.config)
    return MultimodalModel(text.config, image, text).eval()


def empty_base(config: BaseConfig) -> MultimodalModel:
    """Make a base model with random weights, to be filled from its own weights file."""
    return MultimodalModel(config, HuggingFaceImageEncoder(config), HuggingFaceTextEncoder(config))
