"""File of MedCLIP -> a system that judges films (Wang et al. 2022; layout and preprocessing of its repository)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everyone gives it
from transformers import BertConfig, BertModel, PreTrainedTokenizerBase, SwinConfig, SwinModel

from inference.baselines.published.bert import bert_config, check_vocabulary, open_bert_tokenizer
from inference.baselines.published.layout import StateFile
from inference.baselines.published.protocol import GreyImage, batches, check_image, device_of, softmax_rows
from inference.baselines.published.resnet import ResNet, ResNetSizes, resnet_sizes
from inference.baselines.published.swin import published_name, swin_config
from inference.contract import FloatArray

SIDE: Final = 224
MEAN: Final = 0.5862785803043838
DEVIATION: Final = 0.27950088968644304
"""Of the grey values, on the scale 0..1."""
LONGEST_TEXT: Final = 77
LARGEST_LOG_SCALE: Final = 4.6052
"""The authors keep the logarithm of the scale between 0 and this, about log(100)."""
TOLERATED: Final = ("embeddings.position_ids", "attention.self.relative_position_index")
"""Counting tables that older versions of transformers wrote into the file and newer ones do not know."""


class SwinVision(nn.Module):
    """The variant that its authors call MedCLIP-ViT: a Swin transformer with a projection."""

    def __init__(self, config: SwinConfig, embed: int) -> None:
        super().__init__()
        self.model = SwinModel(config)
        self.projection_head = nn.Linear(config.hidden_size, embed, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, 3, 224, 224) to (B, E)."""
        encoded: Tensor = self.projection_head(self.model(images).pooler_output)
        return encoded


class ResNetVision(nn.Module):
    """The other variant: a ResNet-50 whose last layer is the projection."""

    def __init__(self, sizes: ResNetSizes) -> None:
        super().__init__()
        self.model = ResNet(sizes)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, 3, 224, 224) to (B, E)."""
        encoded: Tensor = self.model(images)
        return encoded


class Text(nn.Module):
    """Bio_ClinicalBERT with a projection."""

    def __init__(self, config: BertConfig, embed: int) -> None:
        super().__init__()
        self.model = BertModel(config)
        self.projection_head = nn.Linear(config.hidden_size, embed, bias=False)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Map token ids (B, N) and their mask (B, N) to (B, E)."""
        states = self.model(tokens, attention_mask=mask, output_hidden_states=True).hidden_states
        # Over all places, padding too: the authors do it, so a text's vector depends on the longest text beside it.
        pooled = torch.stack([states[1], states[2], states[-1]]).mean((0, 2))
        encoded: Tensor = self.projection_head(pooled)
        return encoded


class MedClip(nn.Module):
    """Both encoders and the scale of their cosines."""

    def __init__(self, vision: SwinVision | ResNetVision, text: Text) -> None:
        super().__init__()
        self.vision_model, self.text_model = vision, text
        self.logit_scale = nn.Parameter(torch.tensor(1 / 0.07).log())

    def encode_image(self, images: Tensor) -> Tensor:
        """Encode images (B, 1, 224, 224) to vectors (B, E) of length 1."""
        return F.normalize(self.vision_model(images.expand(-1, 3, -1, -1)), dim=-1)

    def encode_text(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Encode token ids (B, N) and their mask (B, N) to vectors (B, E) of length 1."""
        return F.normalize(self.text_model(tokens, mask), dim=-1)

    @property
    def scale(self) -> float:
        """What the authors multiply cosines by."""
        return self.logit_scale.clamp(0, LARGEST_LOG_SCALE).exp().item()


def open_model(path: Path) -> MedClip:
    """Load `pytorch_model.bin`, or the zip that it is published in; the variant is told from the names.

    Raises:
        CheckpointError: it is neither variant; the message names what does not fit.
    """
    file = StateFile.open(path, "MedCLIP")
    embed, _ = file.shape("text_model.projection_head.weight", 2)
    config = bert_config(file, "text_model.model.")
    if config.num_hidden_layers < 2:
        raise file.refuse("its text encoder has one layer, and the second is read")
    model = MedClip(make_vision(file, embed), Text(config, embed))
    file.fill(model, tolerated=TOLERATED, rename=published_name)
    return model


def make_vision(file: StateFile, embed: int) -> SwinVision | ResNetVision:
    """Build the image encoder of whichever variant a file holds."""
    prefix = "vision_model.model."
    if f"{prefix}fc.weight" in file.tensors:
        return ResNetVision(resnet_sizes(file, prefix, bias=False))
    return SwinVision(swin_config(file, prefix, SIDE), embed)


def preprocess(grey: GreyImage) -> Tensor:
    """Turn a film (H, W), bone white, into what MedCLIP sees: (1, 224, 224).

    Padded with black to a square of at least 224, resized (bicubic), normalised. The authors' centre crop follows the
    resize and finds nothing left to crop.
    """
    check_image(grey)
    height, width = grey.shape
    side = max(SIDE, height, width)
    square = Image.new("L", (side, side))
    square.paste(Image.fromarray(grey), ((side - width) // 2, (side - height) // 2))
    values = np.asarray(square.resize((SIDE, SIDE), Image.Resampling.BICUBIC), np.float32) / 255
    return (torch.from_numpy(values)[None] - MEAN) / DEVIATION


class MedClipSystem:
    """MedCLIP with its vocabulary.

    Attributes:
        temperature: what `judge` divides cosines by; None takes the one the checkpoint was trained with.
    """

    def __init__(self, model: MedClip, tokenizer: PreTrainedTokenizerBase, temperature: float | None = None) -> None:
        check_vocabulary(tokenizer, model.text_model.model.config.vocab_size)
        self.model, self.tokenizer, self.temperature = model, tokenizer, temperature

    @classmethod
    def open(cls, checkpoint: Path, vocabulary: Path) -> MedClipSystem:
        """Load a checkpoint file and the folder with the vocabulary of Bio_ClinicalBERT.

        Raises:
            CheckpointError: a file is not what it should be.
        """
        return cls(open_model(checkpoint), open_bert_tokenizer(vocabulary))

    def judge(self, images: Sequence[GreyImage], texts: Sequence[Sequence[str]]) -> FloatArray:
        """Return (N, classes), softmax(cosine / temperature); see `ZeroShot`."""
        temperature = 1 / self.model.scale if self.temperature is None else self.temperature
        return softmax_rows(self.cosines(images, texts), temperature)

    @torch.inference_mode()
    def cosines(self, images: Sequence[GreyImage], texts: Sequence[Sequence[str]]) -> Tensor:
        """Return for each film and class the mean of its cosines (N, classes) with the texts of that class."""
        stacks = (torch.stack([preprocess(image) for image in images[few]]) for few in batches(len(images)))
        seen = torch.cat([self.model.encode_image(stack.to(device_of(self.model))) for stack in stacks])
        return torch.stack([(seen @ self.embed(some).T).mean(1) for some in texts], 1)

    def embed(self, texts: Sequence[str]) -> Tensor:
        """Encode the texts of one class (K, E), padded to the longest of them as the authors do."""
        coded = self.tokenizer(
            list(texts), padding=True, truncation=True, max_length=LONGEST_TEXT, return_tensors="pt"
        ).to(device_of(self.model))
        return self.model.encode_text(coded["input_ids"], coded["attention_mask"])
