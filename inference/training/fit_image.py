"""Labelled films -> an image encoder: the first stage of training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from inference.model.config import ModelConfig
from inference.model.image import ImageEncoder
from inference.training.augment import augment
from inference.training.batching import in_batches
from inference.training.metrics import macro_auc
from inference.training.optimise import Optimiser
from inference.training.recipe import Stage

BATCH_TO_JUDGE = 256
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Pictures:
    """Films in memory: pixels uint8 (N, 1, S, S) and labels (N,)."""

    pixels: Tensor
    labels: Tensor

    @classmethod
    def of(cls, pixels: npt.NDArray[np.uint8], labels: list[int]) -> Pictures:
        """Wrap grey squares (N, S, S)."""
        return cls(torch.from_numpy(pixels).unsqueeze(1), torch.tensor(labels))


class ImageClassifier(nn.Module):
    """An image encoder with a linear head on the mean of its tokens, which only this stage needs."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.encoder = ImageEncoder(config)
        self.head = nn.Linear(config.image_width, config.classes)

    def forward(self, image: Tensor) -> Tensor:
        """Judge images (B, 1, S, S): logits (B, classes)."""
        logits: Tensor = self.head(self.encoder(image).mean(1))
        return logits


def judge_images(network: ImageClassifier, pictures: Pictures) -> npt.NDArray[np.float32]:
    """Return the probabilities (N, classes) of pictures."""
    network.eval()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        parts = [network(part.float() / 255) for part in in_batches(pictures.pixels, BATCH_TO_JUDGE)]
    return torch.cat(parts).float().softmax(-1).numpy()


def fit_image(
    network: ImageClassifier, stage: Stage, train: Pictures, validation: Pictures, seed: int, report: Report
) -> ImageClassifier:
    """Train an image encoder with its head from where it stands; returns the averaged weights.

    bfloat16 where the processor has it for matrices (three times faster), float32 weights throughout.
    """
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    network.requires_grad_()
    steps = stage.epochs * (len(train.labels) // stage.batch)
    optimiser = Optimiser(network, stage, steps)
    for epoch in range(stage.epochs):
        network.train()
        order = torch.randperm(len(train.labels), generator=generator)
        for index in in_batches(order, stage.batch, whole=True):
            image = augment(train.pixels[index].float() / 255, generator, stage.augmentation)
            with torch.autocast("cpu", torch.bfloat16):
                logits = network(image)
            loss = nn.functional.cross_entropy(logits.float(), train.labels[index], label_smoothing=stage.smoothing)
            optimiser.step(loss)
        auc = macro_auc(validation.labels.numpy(), judge_images(optimiser.averaged, validation))
        report(f"image epoch {epoch + 1}/{stage.epochs}: loss {loss.item():.3f}, validation AUC {auc:.4f}")
    return optimiser.averaged
