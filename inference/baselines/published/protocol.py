"""Films and prompts -> probabilities of our diagnoses, for any system that compares a film with texts.

This module does not know how any of these systems works.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everyone gives it

from fhir_adapter.record import Film
from inference.contract import DIAGNOSES, FloatArray

GreyImage = npt.NDArray[np.uint8]
"""One film (H, W), 0..255, bone white: MONOCHROME1 must be inverted before it comes here."""
Prompts = Mapping[str, Sequence[str]]

PROMPTS: Final[Prompts] = {
    "normal": ("no pneumonia", "clear lungs without focal consolidation"),
    "bacterial": ("bacterial pneumonia", "focal lobar consolidation"),
    "viral": ("viral pneumonia", "bilateral perihilar interstitial opacities"),
}
"""What stands for each of `contract.DIAGNOSES` in the words of a report. Ours, and never tuned on results."""
BATCH: Final = 16


class ZeroShot(Protocol):
    """A system that was never trained on our labels and judges a film by how near it is to texts."""

    def judge(self, images: Sequence[GreyImage], texts: Sequence[Sequence[str]]) -> FloatArray:
        """Return (N, classes), each row a softmax of cosine / temperature over the classes.

        Args:
            images: N films of any sizes, at least one.
            texts: for each class, one or more texts that mean it.
        """
        ...


def probabilities(system: ZeroShot, images: Sequence[GreyImage], prompts: Prompts = PROMPTS) -> FloatArray:
    """Judge films (N of any sizes) and return (N, CLASSES), columns as in `contract.DIAGNOSES`.

    These figures order the films; as probabilities they mean nothing before they are calibrated.

    Raises:
        ValueError: prompts for other labels than the contract's, or an image that is no grey 8-bit film.
    """
    keys = [diagnosis.key for diagnosis in DIAGNOSES]
    if set(prompts) != set(keys) or not all(prompts[key] and not isinstance(prompts[key], str) for key in keys):
        raise ValueError(f"give one or more prompts, in a list, for each of {', '.join(keys)} and for nothing else")
    for image in images:
        check_image(image)
    texts = [prompts[key] for key in keys]
    return system.judge(images, texts) if len(images) else np.zeros((0, len(keys)), np.float32)


def check_image(image: GreyImage) -> None:
    """Refuse an array that the preprocessing would take for something else, above all one scaled to 0..1."""
    if image.dtype != np.uint8 or image.ndim != 2 or not image.size:
        raise ValueError(f"a film must be a grey uint8 array (H, W), not {image.dtype} {image.shape}")


def grey_of(film: Film) -> GreyImage:
    """Return a film of a record as these systems take it.

    The pixels of `Film` have MONOCHROME1 inverted already. The published BioViL code reads DICOM files without that
    and so shows some films to its model as negatives: this is the way round it.
    """
    grey: GreyImage = np.rint(film.pixels.clip(0, 1) * 255).astype(np.uint8)
    return grey


def batches(count: int) -> list[slice]:
    """Cut `count` films into batches that fit into memory."""
    return [slice(start, start + BATCH) for start in range(0, count, BATCH)]


def device_of(model: nn.Module) -> torch.device:
    """Return where a model's weights lie, so that it runs on whatever device its user moved it to."""
    return next(model.parameters()).device


def joined(embeddings: Tensor) -> Tensor:
    """Merge the vectors (K, E) of several texts for one class: their mean, made length 1 again (E)."""
    return F.normalize(embeddings.mean(0), dim=0)


def softmax_rows(cosines: Tensor, temperature: float) -> FloatArray:
    """Turn cosines (N, classes) into rows that add up to 1."""
    if temperature <= 0:
        raise ValueError(f"a temperature must be above 0, not {temperature}")
    rows: FloatArray = (cosines / temperature).softmax(-1).cpu().numpy().astype(np.float32)
    return rows
