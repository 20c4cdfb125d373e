"""A trained model -> the same model with more and more of its weights forgotten, from the answer down to the pixels.

Model parameter randomisation (Adebayo et al. 2018, "Sanity checks for saliency maps"): a map that stays the same shows
the edges of the film, not what the model learned.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Final

import torch

from inference.model.mllm import MultimodalModel

SEED: Final = 11
SEEDS: Final = (11, 12, 13)
"""Untrained models that the last stage is tried with: one may be like the trained one by luck."""
STAGES: Final[dict[str, tuple[str, ...]]] = {
    "head": ("fusion.norm.", "fusion.head."),
    "fusion": ("fusion.",),
    "chart": ("text.", "structured."),
    "vit": ("image.project.", "image.norm", "image.position", "image.blocks."),
    "stem": ("image.stem.",),
}
"""Beginnings of the names of the weights that each stage forgets; it forgets those of the stages before it too."""
LAST: Final = tuple(STAGES)[-1]


def untrained(model: MultimodalModel, seed: int = SEED) -> MultimodalModel:
    """Return a model of the preset `compact` with the sizes of another, its weights as training begins with them."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = MultimodalModel(model.config)
    return fresh.eval().requires_grad_(requires_grad=False)


def forget(model: MultimodalModel, beginnings: tuple[str, ...], seed: int = SEED) -> MultimodalModel:
    """Return a copy whose weights with names that begin so are those of an untrained model."""
    fresh, changed = untrained(model, seed).state_dict(), copy.deepcopy(model)
    known = model.state_dict()
    changed.load_state_dict({name: fresh[name] if name.startswith(beginnings) else known[name] for name in known})
    return changed


def cascade(model: MultimodalModel) -> Iterator[tuple[str, MultimodalModel]]:
    """Yield each of `STAGES` but the last with the model that has forgotten this stage and those before it."""
    gone: tuple[str, ...] = ()
    for stage, beginnings in STAGES.items():
        gone += beginnings
        if stage != LAST:
            yield stage, forget(model, gone)


def emptied(model: MultimodalModel) -> Iterator[MultimodalModel]:
    """Yield the last stage of the cascade for each of `SEEDS`."""
    everything = tuple(beginning for beginnings in STAGES.values() for beginning in beginnings)
    for seed in SEEDS:
        yield forget(model, everything, seed)
