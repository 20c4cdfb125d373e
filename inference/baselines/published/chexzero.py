"""Files of CheXzero -> a system that judges films (Tiu et al. 2022; layout and preprocessing of its repository)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name everyone gives it
from transformers import PreTrainedTokenizerBase

from inference.baselines.published.clip import Clip, ClipSizes
from inference.baselines.published.clip_tokens import check_vocabulary, open_clip_tokenizer, tokenise
from inference.baselines.published.layout import StateFile
from inference.baselines.published.protocol import GreyImage, batches, check_image, device_of, joined, softmax_rows
from inference.contract import FloatArray

SIDE: Final = 320
"""Pixels of the square that the authors stored their films in."""
MEAN: Final = 101.48761
DEVIATION: Final = 83.43944
"""Of the stored squares, on the scale 0..255."""
PAIR: Final = ("{}", "no {}")
"""The texts for "has it" and "has it not"."""
TOLERATED: Final = ("input_resolution", "context_length", "vocab_size")
"""Numbers that OpenAI's archives keep among the weights."""


def open_clip(path: Path) -> Clip:
    """Load one checkpoint file; sizes come from the shapes, so both published builds fit (B/32 at 224, B/16 at 320).

    Raises:
        CheckpointError: it is no CLIP of OpenAI's layout; the message names what does not fit.
    """
    file = StateFile.open(path, "CheXzero")
    model = Clip(clip_sizes(file))
    file.fill(model, tolerated=TOLERATED)
    return model


def clip_sizes(file: StateFile) -> ClipSizes:
    """Read the sizes of a CLIP off the shapes of its tensors."""
    vision_width, _, _, patch = file.shape("visual.conv1.weight", 4)
    places, _ = file.shape("visual.positional_embedding", 2)
    context, _ = file.shape("positional_embedding", 2)
    vocabulary, text_width = file.shape("token_embedding.weight", 2)
    _, embed = file.shape("text_projection", 2)
    for width in (vision_width, text_width):
        file.heads(width)
    return ClipSizes(
        embed=embed,
        resolution=patch * round((places - 1) ** 0.5),
        patch=patch,
        vision_width=vision_width,
        vision_layers=file.depth("visual.transformer.resblocks."),
        context=context,
        vocabulary=vocabulary,
        text_width=text_width,
        text_layers=file.depth("transformer.resblocks."),
    )


def to_stored_square(grey: GreyImage) -> GreyImage:
    """Fit a film (H, W) into a black square (320, 320): longest side to 320 by Lanczos, centred."""
    height, width = grey.shape
    ratio = SIDE / max(height, width)
    # Cut off and not rounded, as the authors have it; at least one pixel, where theirs fails.
    size = max(1, int(width * ratio)), max(1, int(height * ratio))
    fitted = Image.fromarray(grey).resize(size, Image.Resampling.LANCZOS)
    square = Image.new("L", (SIDE, SIDE))
    square.paste(fitted, ((SIDE - size[0]) // 2, (SIDE - size[1]) // 2))
    return np.asarray(square)


def preprocess(grey: GreyImage, resolution: int) -> Tensor:
    """Turn a film (H, W), bone white, into what CheXzero sees: (3, resolution, resolution).

    The authors normalise the stored square first, on the scale 0..255, and resize it after that.
    """
    check_image(grey)
    values = (torch.from_numpy(to_stored_square(grey).astype(np.float32)) - MEAN) / DEVIATION
    image = values.expand(1, 3, SIDE, SIDE)
    if resolution != SIDE:
        # torchvision 0.11, which they pin, did not smooth tensors before making them smaller.
        image = F.interpolate(image, (resolution, resolution), mode="bicubic", align_corners=False, antialias=False)
    return image[0].contiguous()


def pair_probability(has: Tensor, has_not: Tensor) -> Tensor:
    """Return the authors' probability of a label from its raw cosines: no logit scale, so always near 0.5."""
    return torch.stack([has, has_not]).softmax(0)[0]


class CheXzero:
    """An ensemble of CheXzero checkpoints.

    Attributes:
        temperature: what `judge` divides cosines by; None takes the one each checkpoint was trained with.
    """

    def __init__(
        self, models: Sequence[Clip], tokenizer: PreTrainedTokenizerBase, temperature: float | None = None
    ) -> None:
        if not models:
            raise ValueError("give at least one CheXzero checkpoint")
        for model in models:
            check_vocabulary(tokenizer, model.sizes.vocabulary)
        self.models, self.tokenizer, self.temperature = tuple(models), tokenizer, temperature

    @classmethod
    def open(cls, checkpoints: Sequence[Path], vocabulary: Path) -> CheXzero:
        """Load checkpoint files and a CLIP vocabulary, as `open_clip` and `open_clip_tokenizer` say.

        Raises:
            CheckpointError: a file is not what it should be.
        """
        return cls([open_clip(path) for path in checkpoints], open_clip_tokenizer(vocabulary))

    def judge(self, images: Sequence[GreyImage], texts: Sequence[Sequence[str]]) -> FloatArray:
        """Return (N, classes), the mean over the ensemble of softmax(cosine / temperature); see `ZeroShot`."""
        rows = [softmax_rows(self.cosines(model, images, texts), self.divisor(model)) for model in self.models]
        mean: FloatArray = np.mean(rows, 0, dtype=np.float32)
        return mean

    def probability(self, images: Sequence[GreyImage], labels: Sequence[str]) -> FloatArray:
        """Return (N, labels) by the authors' own rule: each label against its negation, mean over the ensemble."""
        texts = [[form.format(label)] for form in PAIR for label in labels]
        rows = [
            pair_probability(*self.cosines(model, images, texts).chunk(2, dim=1)).cpu().numpy() for model in self.models
        ]
        mean: FloatArray = np.mean(rows, 0, dtype=np.float32)
        return mean

    def divisor(self, model: Clip) -> float:
        """Return the temperature for one checkpoint."""
        return 1 / model.logit_scale.exp().item() if self.temperature is None else self.temperature

    @torch.inference_mode()
    def cosines(self, model: Clip, images: Sequence[GreyImage], texts: Sequence[Sequence[str]]) -> Tensor:
        """Return the cosine (N, classes) of each film with the merged texts of each class."""
        device, sizes = device_of(model), model.sizes
        tokens = (tokenise(self.tokenizer, some, sizes.context) for some in texts)
        classes = torch.stack([joined(model.encode_text(ids.to(device))) for ids in tokens])
        stacks = (
            torch.stack([preprocess(image, sizes.resolution) for image in images[few]]) for few in batches(len(images))
        )
        return torch.cat([model.encode_image(stack.to(device)) for stack in stacks]) @ classes.T
