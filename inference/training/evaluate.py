"""A model and a set of cases -> its logits for any subset of the modalities."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from inference.contract import DEMOGRAPHIC_SLOTS, SLOTS, FloatArray
from inference.model.mllm import MultimodalModel
from inference.model.relevance import answer_subsets
from inference.training.batching import in_batches
from inference.training.cases import CaseTensors
from inference.training.encode_cases import CaseArrays

BATCH = 128


def judge(
    model: MultimodalModel, tokens: Tensor, cases: CaseTensors, modalities: Collection[str]
) -> npt.NDArray[np.float32]:
    """Judge cases by image tokens (N, P, width), notes and values; what is not in `modalities` is taken away."""
    model.eval()
    device = next(model.parameters()).device
    image, text, values = (torch.tensor(float(name in modalities)) for name in ("image", "text", "structured"))
    # Age and sex stay: they are known of nearly every patient, and alone do not make the record present.
    values = torch.full((1, SLOTS), float(values))
    values[:, DEMOGRAPHIC_SLOTS] = 1
    logits = []
    with torch.no_grad():
        for index in in_batches(torch.arange(len(tokens)), BATCH):
            part = cases.pick(index).keep(text.expand(len(index), 1), values.expand(len(index), SLOTS))
            batch = part.to(device).as_batch(image.expand(len(index), 1).to(device))
            logits.append(model(batch, tokens[index].float().to(device)).logits.cpu())
    answers: npt.NDArray[np.float32] = torch.cat(logits).numpy()
    return answers


class EncodedFilms:
    """A model with image tokens (N, P, width) before it: cases around the films -> logits of every subset."""

    def __init__(self, model: MultimodalModel, tokens: Tensor) -> None:
        self.model, self.tokens = model.eval(), tokens

    def __call__(self, cases: CaseArrays) -> FloatArray:
        """Return logits (N, 8, CLASSES); see `inference.training.judged.AnswerSubsets`."""
        tensors = CaseTensors(*(torch.from_numpy(getattr(cases, field.name)) for field in fields(cases)))
        logits = []
        with torch.no_grad():
            for index in in_batches(torch.arange(len(self.tokens)), BATCH):
                batch = tensors.pick(index).as_batch(torch.ones(len(index), 1))
                encoded = self.model.encode(batch, self.tokens[index].float())
                queries = self.model.fusion.join(encoded.text, encoded.structured)
                whole = self.model.fusion(queries, encoded.image, encoded.bias).logits
                logits.append(answer_subsets(self.model, encoded, whole))
        answers: FloatArray = torch.cat(logits).numpy()
        return answers
