"""Simulated cases as the tensors of a batch, and what is taken away from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from tokenizers import Tokenizer
from torch import Tensor

from inference.model.mllm import Batch
from inference.training.cohort import SimulatedCase
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

    def as_batch(self, image_present: Tensor) -> Batch:
        """Join with image_present (N, 1) to a batch whose image tokens are given beside it."""
        # The pixels are not read then: the smallest tensor of the right rank will do.
        return Batch(
            torch.zeros(len(self.tokens), 1, 1, 1),
            image_present,
            self.tokens,
            self.text_present,
            self.values,
            self.value_present,
            self.value_age,
        )


def tensors_of(cases: Sequence[SimulatedCase], tokenizer: Tokenizer) -> CaseTensors:
    """Encode cases; see `inference.training.encode_cases.arrays_of`."""
    arrays = arrays_of(cases, tokenizer)
    return CaseTensors(*(torch.from_numpy(getattr(arrays, field.name)) for field in fields(arrays)))
