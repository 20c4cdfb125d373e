"""The compared systems by name: how each is built on what a checkpoint shares with it, and how it is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from inference.baselines.compact.biovil_t import BioViLT
from inference.baselines.compact.chexzero import CheXzero
from inference.baselines.compact.medclip import MedCLIP
from inference.baselines.compact.single import ImageOnly, TextOnly
from inference.baselines.compact.sizes import Sizes
from inference.checkpoint import Checkpoint, CheckpointError, digest_of
from inference.contract import GRID, MODALITIES
from inference.model.image import ImageEncoder
from inference.model.mllm import MultimodalModel
from inference.training.batching import in_batches
from inference.training.cases import CaseTensors
from inference.training.compare.left_out import LeftOut
from inference.training.compare.maps import read_tokens
from inference.training.pack import WEIGHTS_NAME, load_weights

BATCH = 128


@dataclass(frozen=True, slots=True)
class Ground:
    """What every compared system stands on: the checkpoint's model, its word pieces, and the weights' SHA-256."""

    model: MultimodalModel
    tokenizer: Tokenizer
    digest: str

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> Ground:
        """Load a checkpoint's weights beside its graph.

        Raises:
            CheckpointError: the weights are missing or do not fit.
        """
        path = checkpoint.folder / WEIGHTS_NAME
        model = load_weights(path).requires_grad_(requires_grad=False)
        return cls(model, checkpoint.tokenizer, digest_of(path))

    @property
    def encoder(self) -> ImageEncoder:
        """The image encoder whose stem all systems share.

        Raises:
            CheckpointError: it has none.
        """
        if not isinstance(self.model.image, ImageEncoder):
            raise CheckpointError(
                "compared systems read the convolutional stem of the preset compact: take a checkpoint of that preset"
            )
        return self.model.image

    @property
    def sizes(self) -> Sizes:
        """The sizes that compared systems take over from the checkpoint."""
        config = self.model.config
        return Sizes(self.encoder.stem_width, GRID, config.vocabulary, config.text_tokens, config.classes)


BUILDERS: Final[Mapping[str, Callable[[Ground], nn.Module]]] = {
    "chexzero": lambda ground: CheXzero(ground.sizes),
    "medclip": lambda ground: MedCLIP(ground.sizes),
    "biovil_t": lambda ground: BioViLT(ground.sizes),
    "image_only": lambda ground: ImageOnly(ground.encoder, ground.sizes, ground.model.config.image_width),
    "text_only": lambda ground: TextOnly(ground.sizes),
    **{
        f"mllm_without_{absent}_retrained": partial(lambda ground, absent: LeftOut(ground.model, absent), absent=absent)
        for absent in MODALITIES
    },
}
TRAINED: Final = tuple(BUILDERS)
"""The systems that have weights of their own, in the order in which they are trained."""
JUDGED_MASKS: Final[Mapping[str, tuple[str, ...]]] = {
    "mllm": MODALITIES,
    **{f"mllm_without_{absent}": tuple(name for name in MODALITIES if name != absent) for absent in MODALITIES},
}
"""The M-LLM that serves, with everything and with one modality absent when it is asked."""


def build(name: str, ground: Ground) -> nn.Module:
    """Return a compared system as it is before its training."""
    return BUILDERS[name](ground)


def kept_names(fresh: nn.Module) -> set[str]:
    """Name the tensors of a fresh system that are its own: what it trains, and what it counts."""
    trained = {name for name, parameter in fresh.named_parameters() if parameter.requires_grad}
    return trained | (set(fresh.state_dict()) - {name for name, _ in fresh.named_parameters()})


def reads_tokens(system: nn.Module) -> bool:
    """Say whether a system reads the checkpoint's image tokens; the others read the maps."""
    return isinstance(system, LeftOut)


def answer(system: nn.Module, seen: Tensor, cases: CaseTensors) -> Tensor:
    """Return the logits (B, classes) of a system for what it sees, maps or tokens, and cases."""
    given = (cases,) if isinstance(system, LeftOut) else (cases.tokens, cases.text_present)
    logits: Tensor = system(seen, *given)
    return logits


def answer_all(system: nn.Module, ground: Ground, maps: Tensor, cases: CaseTensors) -> npt.NDArray[np.float32]:
    """Return the probabilities (N, classes) of a system for maps (N, C, G, G) and the cases around them."""
    system.eval()
    parts = []
    with torch.no_grad():
        for index in in_batches(torch.arange(len(maps)), BATCH):
            seen = maps[index].float()
            seen = read_tokens(ground.encoder, seen) if reads_tokens(system) else seen
            parts.append(answer(system, seen, cases.pick(index).trimmed()).softmax(-1))
    found: npt.NDArray[np.float32] = torch.cat(parts).numpy()
    return found
