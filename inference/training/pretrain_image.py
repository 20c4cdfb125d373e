"""Unlabelled films -> an image encoder that can fill in what is hidden: self-supervised pre-training.

Masked image modelling (Xie et al. 2022, "SimMIM"): half of the patches are made grey, and a linear layer on the tokens
must give back their pixels. No label is used.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from inference.contract import GRID, IMAGE_SIZE, PATCH
from inference.model.config import ModelConfig
from inference.model.image import ImageEncoder
from inference.training.augment import augment
from inference.training.batching import in_batches
from inference.training.devices import Place
from inference.training.optimise import Optimiser
from inference.training.progress import Progress
from inference.training.recipe import Stage

HIDDEN = 0.5
"""Share of the patches that are hidden."""
GREY = 0.48
"""What a hidden patch shows: the mean grey of the paediatric films."""


class MaskedFilms(nn.Module):
    """An image encoder with a linear layer that draws each patch from its token; only this stage needs the layer."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.encoder = ImageEncoder(config)
        self.draw = nn.Linear(config.image_width, PATCH * PATCH)

    def forward(self, image: Tensor) -> Tensor:
        """Draw the patches (B, P, PATCH^2) of images (B, 1, S, S) of which some patches are hidden."""
        drawn: Tensor = self.draw(self.encoder(image))
        return drawn


def cut_patches(image: Tensor) -> Tensor:
    """Cut images (B, 1, S, S) into patches (B, P, PATCH^2), row by row from the top left."""
    return nn.functional.unfold(image, PATCH, stride=PATCH).transpose(1, 2)


def hide(image: Tensor, hidden: Tensor) -> Tensor:
    """Make the patches grey where `hidden` (B, P) is true, in images (B, 1, S, S)."""
    squares = hidden.view(-1, 1, GRID, GRID).repeat_interleave(PATCH, 2).repeat_interleave(PATCH, 3)
    return image.masked_fill(squares, GREY)


def drawing_loss(drawn: Tensor, image: Tensor, hidden: Tensor) -> Tensor:
    """Return the mean absolute error () over hidden patches, against patches each brought to mean 0, spread 1."""
    target = cut_patches(image)
    target = (target - target.mean(-1, keepdim=True)) / (target.std(-1, keepdim=True) + 0.02)
    errors = (drawn - target).abs().mean(-1)
    return (errors * hidden).sum() / hidden.sum().clamp(min=1)


def pretrain_image(
    network: MaskedFilms, stage: Stage, pixels: Tensor, seed: int, run: tuple[Place, Progress, Path]
) -> ImageEncoder:
    """Train on films uint8 (N, 1, S, S) without labels; returns the encoder with averaged weights.

    Args:
        network: trained in place.
        stage: epochs, batch and rates.
        pixels: films of the training split, or any others nobody is judged on.
        seed: of order, changes and hidden patches.
        run: where it runs, who is told, and the file from which a cut-off run goes on.
    """
    place, progress, state = run
    if pixels.shape[-1] != IMAGE_SIZE:
        raise ValueError(f"films of {pixels.shape[-1]} pixels do not fit a contract of {IMAGE_SIZE}")
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    network.to(place.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    steps = stage.epochs * (len(pixels) // stage.batch)
    optimiser = Optimiser(network, stage, steps, place)
    for epoch in range(optimiser.resume(state, generator), stage.epochs):
        network.train()
        losses = []
        order = torch.randperm(len(pixels), generator=generator)
        for index in in_batches(order, stage.batch, whole=True):
            image = augment(pixels[place.share(index)].float() / 255, generator, stage.augmentation)
            hidden = torch.rand(len(image), GRID * GRID, generator=generator) < HIDDEN
            image, hidden = image.to(place.device), hidden.to(place.device)
            with place.autocast():
                drawn = network(hide(image, hidden))
            loss = drawing_loss(drawn.float(), image, hidden)
            optimiser.step(loss)
            losses.append(loss.item())
            progress.step("masked films", optimiser.step_number, steps)
        progress.say(f"masked films epoch {epoch + 1}/{stage.epochs}: error {sum(losses) / len(losses):.3f}")
        optimiser.save(state, epoch + 1, generator)
    return optimiser.averaged.encoder
