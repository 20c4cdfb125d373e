"""Projected patches and a phrase -> where on the film BioViL sees what the phrase says; NaN where it saw nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812 - the name everyone gives it

from inference.baselines.published.biovil_t import SHORTER_SIDE, BioVil
from inference.baselines.published.cxr_bert import embed_phrases
from inference.baselines.published.protocol import GreyImage, joined
from inference.contract import FloatArray

SIGMA: Final = 1.5
"""Patches by which the similarities are blurred."""
REACH: Final = 4
"""Sigmas after which the blur is cut off, as SciPy does."""


@torch.inference_mode()
def ground(system: BioVil, image: GreyImage, phrases: Sequence[str]) -> FloatArray:
    """Return the cosine (H, W), -1..1, of each place of a film (H, W) with what the phrases say.

    Outside the square that the model saw it is NaN: not "nothing there", but "not looked at".
    """
    patches = F.normalize(system.image(system.stack([image]))[0], dim=0)  # (E, G, G)
    phrase = joined(embed_phrases(system.text, system.tokenizer, phrases)).to(patches.device)
    similarity = torch.einsum("egh,e->gh", patches, phrase).cpu().numpy()
    return to_film(blur(similarity), image.shape, system.image.crop)


def blur(similarity: FloatArray) -> FloatArray:
    """Blur a map (G, G) by a Gaussian; beyond its edge it is mirrored."""
    return blur_rows(blur_rows(similarity).T).T


def blur_rows(similarity: FloatArray) -> FloatArray:
    """Blur each row of a map (G, G)."""
    reach = int(REACH * SIGMA + 0.5)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / SIGMA) ** 2)
    wide = np.pad(similarity.astype(np.float64), ((0, 0), (reach, reach)), mode="symmetric")
    rows = [np.convolve(row, weights / weights.sum(), "valid") for row in wide]
    return np.stack(rows).astype(np.float32)


def to_film(similarity: FloatArray, shape: tuple[int, ...], crop: int) -> FloatArray:
    """Lay a map (G, G) over the square in the middle of a film (H, W) that was cropped out of it."""
    side = int(crop * min(shape) / SHORTER_SIDE)
    square = F.interpolate(torch.from_numpy(similarity)[None, None], (side, side), mode="nearest")[0, 0].numpy()
    film = np.full(shape, np.nan, np.float32)
    top, left = (shape[0] - side) // 2, (shape[1] - side) // 2
    film[top : top + side, left : left + side] = square
    return film
