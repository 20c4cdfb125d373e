"""The M-LLM: three encoders, the fusion and its head."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from inference.model.config import ModelConfig
from inference.model.entities import EntityHead
from inference.model.fusion import CrossAttentionFusion, FusionOutput
from inference.model.image import ImageEncoder
from inference.model.structured import StructuredEncoder
from inference.model.text import PADDING, TextEncoder, padding_bias


@dataclass(frozen=True, slots=True)
class Batch:
    """The named inputs of `inference.contract.INPUT_SHAPES` as tensors; B patients."""

    image: Tensor  # (B, 1, S, S) in 0..1
    image_present: Tensor  # (B, 1)
    tokens: Tensor  # (B, N)
    text_present: Tensor  # (B, 1)
    values: Tensor  # (B, slots)
    value_present: Tensor  # (B, slots)
    value_age: Tensor  # (B, slots)


@dataclass(frozen=True, slots=True)
class Encoded:
    """A batch in the shared embedding, absent parts already replaced by their learned tokens.

    Attributes:
        image: memory (B, P, D).
        text: tokens (B, N, D).
        structured: tokens (B, slots, D).
        bias: (B, 1, 1, 1 + N + slots), large and negative where a query is padding.
        feature: what the scope gate reads of the film (B, F); the mean token where the tokens were given.
        words: tokens of the text encoder before the projection (B, N, text width), also where the note is absent.
    """

    image: Tensor
    text: Tensor
    structured: Tensor
    bias: Tensor
    feature: Tensor
    words: Tensor


class MultimodalModel(nn.Module):
    """Probabilities of the diagnoses from any non-empty subset of radiograph, note and measurements.

    The encoders are those of the preset `compact` unless others are given: `image` from images (B, 1, S, S) to tokens
    (B, P, image width), `text` from word-piece ids (B, N) to tokens (B, N, text width).
    """

    def __init__(self, config: ModelConfig, image: nn.Module | None = None, text: nn.Module | None = None) -> None:
        super().__init__()
        self.config = config
        self.image = ImageEncoder(config) if image is None else image
        self.text = TextEncoder(config) if text is None else text
        self.structured = StructuredEncoder(config)
        self.fusion = CrossAttentionFusion(config)
        self.entities = EntityHead(config.vocabulary, config.text_width, config.dropout)

    def encode(self, batch: Batch, image_tokens: Tensor | None = None) -> Encoded:
        """Run the encoders; `image_tokens` (B, P, image width) stands in for a run of the image encoder."""
        tokens, feature = self.look(batch.image) if image_tokens is None else (image_tokens, image_tokens.mean(1))
        words = self.text(batch.tokens)
        return Encoded(
            image=self.keep_image(self.fusion.from_image(tokens), batch.image_present),
            text=self.keep_text(self.fusion.from_text(words), batch.text_present),
            structured=self.structured(batch.values, batch.value_present, batch.value_age),
            bias=self.query_bias(batch.tokens, batch.text_present),
            feature=feature * batch.image_present,
            words=words,
        )

    def look(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Run the image encoder: tokens (B, P, image width) and the scope gate's feature (B, F) of images."""
        if isinstance(self.image, ImageEncoder):
            return self.image.look(image)
        tokens: Tensor = self.image(image)
        return tokens, tokens.mean(1)

    def tag_entities(self, batch: Batch, encoded: Encoded) -> Tensor:
        """Tag the named entities of the notes: (B, N, TAGS), 0 at padding and where there is no note."""
        read = (batch.tokens != PADDING).float() * batch.text_present
        tags: Tensor = self.entities(encoded.words, batch.tokens)
        return tags * read[..., None]

    def keep_image(self, memory: Tensor, present: Tensor) -> Tensor:
        """Replace the memory (B, P, D) by the absent token where `present` (B, 1) is 0."""
        return present[..., None] * memory + (1 - present[..., None]) * self.fusion.absent_image

    def keep_text(self, text: Tensor, present: Tensor) -> Tensor:
        """Replace text tokens (B, N, D) by the absent token where `present` (B, 1) is 0."""
        return present[..., None] * text + (1 - present[..., None]) * self.fusion.absent_text

    def query_bias(self, tokens: Tensor, present: Tensor) -> Tensor:
        """Hide padding, and all but the first token of an absent note: (B, 1, 1, 1 + N + slots)."""
        kept = padding_bias(tokens)  # (B, 1, 1, N)
        only_first = (torch.arange(tokens.shape[1], device=tokens.device) > 0).float() * -1e4
        flag = present[:, :, None, None]
        note = flag * kept + (1 - flag) * only_first
        open_ends = torch.zeros_like(note[..., :1])
        return torch.cat([open_ends, note, open_ends.expand(-1, -1, -1, self.config.slots)], -1)

    def forward(self, batch: Batch, image_tokens: Tensor | None = None) -> FusionOutput:
        """Return logits (B, classes) with every attention map of the fusion."""
        encoded = self.encode(batch, image_tokens)
        queries = self.fusion.join(encoded.text, encoded.structured)
        output: FusionOutput = self.fusion(queries, encoded.image, encoded.bias)
        return output
