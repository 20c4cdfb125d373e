"""Labelled films -> an image encoder: the supervised stage."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from inference.model.config import ModelConfig
from inference.model.image import ImageEncoder
from inference.training.augment import augment, cover
from inference.training.batching import in_batches
from inference.training.devices import Place
from inference.training.metrics import macro_auc
from inference.training.optimise import Optimiser
from inference.training.progress import Progress
from inference.training.recipe import Stage

BATCH_TO_JUDGE = 128
RunIn = tuple[Place, Progress, Path]
"""Where a stage runs, who is told, and the file from which it goes on when it was cut off."""


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
    device = next(network.parameters()).device
    with torch.no_grad(), torch.autocast(device.type, torch.bfloat16):
        parts = [network(part.to(device).float() / 255) for part in in_batches(pictures.pixels, BATCH_TO_JUDGE)]
    return torch.cat(parts).float().softmax(-1).cpu().numpy()


def fit_image(
    network: ImageClassifier, stage: Stage, data: tuple[Pictures, Pictures], seed: int, run: RunIn
) -> ImageClassifier:
    """Train an image encoder with its head from where it stands; returns the averaged weights.

    Args:
        network: trained in place.
        stage: epochs, batch and rates.
        data: training and validation films.
        seed: of order and changes.
        run: see `RunIn`.
    """
    (train, validation), (place, progress, state) = data, run
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    network.requires_grad_()
    network.to(place.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    steps = stage.epochs * (len(train.labels) // stage.batch)
    optimiser = Optimiser(network, stage, steps, place)
    for epoch in range(optimiser.resume(state, generator), stage.epochs):
        network.train()
        order = torch.randperm(len(train.labels), generator=generator)
        losses = []
        for batch in in_batches(order, stage.batch, whole=True):
            index = place.share(batch)
            image = augment(train.pixels[index].float() / 255, generator, stage.augmentation)
            image = cover(image, generator, stage.cover).to(place.device)
            with place.autocast():
                logits = network(image)
            labels = train.labels[index].to(place.device)
            loss = nn.functional.cross_entropy(logits.float(), labels, label_smoothing=stage.smoothing)
            optimiser.step(loss)
            losses.append(loss.item())
            progress.step("image", optimiser.step_number, steps)
        auc = macro_auc(validation.labels.numpy(), judge_images(optimiser.averaged, validation))
        loss_mean = sum(losses) / len(losses)
        progress.say(f"image epoch {epoch + 1}/{stage.epochs}: loss {loss_mean:.3f}, validation AUC {auc:.4f}")
        optimiser.save(state, epoch + 1, generator)
    return optimiser.averaged
