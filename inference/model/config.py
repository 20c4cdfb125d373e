"""The shape of an M-LLM: every number that a checkpoint must state to be rebuilt."""

from __future__ import annotations

from dataclasses import dataclass

from inference.contract import CLASSES, IMAGE_SIZE, PATCH, SLOTS, TEXT_TOKENS


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Sizes of the preset `compact`: the one that ships, small enough to train on two CPU cores."""

    image_size: int = IMAGE_SIZE
    patch: int = PATCH
    image_width: int = 192
    image_depth: int = 4
    image_heads: int = 6
    vocabulary: int = 4096  # word pieces
    text_tokens: int = TEXT_TOKENS
    text_width: int = 128
    text_depth: int = 3
    text_heads: int = 4
    slots: int = SLOTS
    fusion_width: int = 96  # the shared embedding in which the three modalities meet
    fusion_depth: int = 2
    fusion_heads: int = 4
    classes: int = CLASSES
    dropout: float = 0.1
