"""A model and a set of cases -> its logits for any subset of the modalities."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from inference.contract import DEMOGRAPHIC_SLOTS, SLOTS
from inference.model.mllm import MultimodalModel
from inference.training.batching import in_batches
from inference.training.cases import CaseTensors

BATCH = 128


def judge(
    model: MultimodalModel, tokens: Tensor, cases: CaseTensors, modalities: Collection[str]
) -> npt.NDArray[np.float32]:
    """Judge cases by image tokens (N, P, width), notes and values; what is not in `modalities` is taken away."""
    model.eval()
    image, text, values = (torch.tensor(float(name in modalities)) for name in ("image", "text", "structured"))
    # Age and sex stay: they are known of nearly every patient, and alone do not make the record present.
    values = torch.full((1, SLOTS), float(values))
    values[:, DEMOGRAPHIC_SLOTS] = 1
    logits = []
    with torch.no_grad():
        for index in in_batches(torch.arange(len(tokens)), BATCH):
            part = cases.pick(index).keep(text.expand(len(index), 1), values.expand(len(index), SLOTS))
            seen = tokens[index].float()
            logits.append(model(part.as_batch(image.expand(len(index), 1)), seen).logits)
    answers: npt.NDArray[np.float32] = torch.cat(logits).numpy()
    return answers
