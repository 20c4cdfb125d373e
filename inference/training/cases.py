"""Cases as the tensors of a batch, and what is taken away from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import torch
from tokenizers import Tokenizer
from torch import Tensor

from inference.model.mllm import Batch
from inference.model.text import PADDING
from inference.training.data.case import Case
from inference.training.encode_cases import arrays_of


@dataclass(frozen=True, slots=True)
class CaseTensors:
    """N cases: tokens (N, T), text_present (N, 1), and values, value_present, value_age, each (N, SLOTS)."""

    tokens: Tensor
    text_present: Tensor
    values: Tensor
    value_present: Tensor
    value_age: Tensor

    def pick(self, index: Tensor) -> CaseTensors:
        """Return the cases at `index` (M,)."""
        return CaseTensors(
            self.tokens[index],
            self.text_present[index],
            self.values[index],
            self.value_present[index],
            self.value_age[index],
        )

    def keep(self, text: Tensor, values: Tensor) -> CaseTensors:
        """Take notes and values away where `text` (N, 1) and `values` (N, 1) or (N, SLOTS) are 0."""
        present = self.value_present * values
        return CaseTensors(
            self.tokens, self.text_present * text, self.values * present, present, self.value_age * present
        )

    def trimmed(self) -> CaseTensors:
        """Cut away the columns of `tokens` that are padding in every case: training on short notes is cheaper so."""
        longest = max(int((self.tokens != PADDING).sum(1).max()), 1)
        return replace(self, tokens=self.tokens[:, :longest])

    def to(self, device: torch.device) -> CaseTensors:
        """Move to a device."""
        return CaseTensors(*(getattr(self, field.name).to(device) for field in fields(self)))

    def as_batch(self, image_present: Tensor) -> Batch:
        """Join with image_present (N, 1) to a batch whose image tokens are given beside it."""
        # The pixels are not read then: the smallest tensor of the right rank will do.
        return Batch(
            torch.zeros(len(self.tokens), 1, 1, 1, device=self.tokens.device),
            image_present,
            self.tokens,
            self.text_present,
            self.values,
            self.value_present,
            self.value_age,
        )


def tensors_of(cases: Sequence[Case], tokenizer: Tokenizer) -> CaseTensors:
    """Encode cases; see `inference.training.encode_cases.arrays_of`."""
    arrays = arrays_of(cases, tokenizer)
    return CaseTensors(*(torch.from_numpy(getattr(arrays, field.name)) for field in fields(arrays)))
