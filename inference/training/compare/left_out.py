"""The M-LLM whose fusion was trained without one of its modalities."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from inference.contract import DEMOGRAPHIC_SLOTS, MODALITIES, SLOTS
from inference.model.mllm import MultimodalModel
from inference.training.cases import CaseTensors
from inference.training.compare.budget import Budget


class LeftOut(nn.Module):
    """An M-LLM that never has `absent`: structured encoder and fusion are new, the image encoder is shared.

    The text encoder starts from the checkpoint's, as the M-LLM's own started from one that could read, and learns on.
    The loss is cross-entropy alone. Without structured data it still knows age and sex, as the M-LLM does at the
    bedside when nothing was measured.
    """

    def __init__(self, shared: MultimodalModel, absent: str) -> None:
        super().__init__()
        self.absent = absent
        self.model = MultimodalModel(shared.config).requires_grad_(requires_grad=False)
        self.model.image = shared.image
        self.model.text.load_state_dict(shared.text.state_dict())
        heard = [self.model.structured, self.model.fusion, *([] if absent == "text" else [self.model.text])]
        for part in heard:
            part.requires_grad_()

    def forward(self, tokens: Tensor, cases: CaseTensors, kept: Tensor | None = None) -> Tensor:
        """Judge image tokens (B, P, width) with cases: logits (B, classes).

        Args:
            tokens: of the shared image encoder.
            cases: notes and measurements.
            kept: (B, 3), 1 for each of `MODALITIES` that stays; everything but the absent one when not given.
        """
        kept = torch.ones(len(tokens), len(MODALITIES)) if kept is None else kept.clone()
        kept[:, MODALITIES.index(self.absent)] = 0
        values = kept[:, 2:].repeat(1, SLOTS)
        values[:, DEMOGRAPHIC_SLOTS] = 1
        logits: Tensor = self.model(cases.keep(kept[:, 1:2], values).as_batch(kept[:, :1]), tokens).logits
        return logits


def drop_others(absent: str, batch: int, budget: Budget, generator: torch.Generator) -> Tensor:
    """Draw which modalities stay (B, 3): never the absent one, always at least one of the other two."""
    others = [place for place, name in enumerate(MODALITIES) if name != absent]
    kept = torch.zeros(batch, len(MODALITIES))
    for place in others:
        kept[:, place] = (torch.rand(batch, generator=generator) >= budget.drop_modality).float()
    rescued = torch.tensor(others)[torch.randint(0, len(others), (batch,), generator=generator)]
    empty = kept.sum(1) == 0
    kept[empty, rescued[empty]] = 1
    return kept
