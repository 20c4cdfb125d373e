"""Films -> the convolutional maps that every compared system reads in place of pixels.

The stem was fine-tuned once, in the M-LLM's image stage, and stands still here: its maps are computed once and kept in
memory, so that each system trains in minutes, and none sees better than another before its own architecture begins.
"""

from __future__ import annotations

import torch
from torch import Tensor

from inference.model.image import ImageEncoder
from inference.training.augment import augment
from inference.training.batching import in_batches

BATCH = 64


def read_maps(encoder: ImageEncoder, images: Tensor) -> Tensor:
    """Return the maps (N, C, G, G) of images (N, 1, S, S) in 0..1, as they are: what is judged."""
    encoder.eval()
    with torch.no_grad():
        return torch.cat([encoder.stem_map(part) for part in in_batches(images, BATCH)])


def draw_maps(encoder: ImageEncoder, pixels: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Return the maps (N, C, G, G) of films as another exposure would have shown them, in half precision."""
    encoder.eval()
    parts = []
    with torch.no_grad():
        for part in in_batches(pixels, BATCH):
            image = augment(part.float() / 255, generator, strength)
            with torch.autocast("cpu", torch.bfloat16):
                parts.append(encoder.stem_map(image).half())
    return torch.cat(parts)


def read_tokens(encoder: ImageEncoder, maps: Tensor) -> Tensor:
    """Return the checkpoint's image tokens (N, P, width) of maps (N, C, G, G), in the precision of the maps."""
    encoder.eval()
    with torch.no_grad():
        return torch.cat([encoder.from_map(part.float()).to(maps.dtype) for part in in_batches(maps, BATCH)])
