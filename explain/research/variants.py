"""A case with some of its parts taken away -> the probability of its answer: what every perturbation test asks.

Parts are taken away as in the second tier (`explain.methods.variants`): a patch of the film by blurring its pixels, a
word by deleting its word pieces, a value by the learned absent token. Many cases at once, and only the encoder of the
modality that changes is run again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from explain.methods.variants import patch_mask
from explain.research.cases import AT_ONCE, NO_WORD, Cases, Flags
from fhir_adapter.record import Modality
from inference.calibrate import probabilities
from inference.model.mllm import Encoded, MultimodalModel

Doubles = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
Ask = Callable[[Flags], Doubles]
"""Which parts are kept, (N, U) -> probability of each case's answer with these alone, (N,)."""

FUSED_AT_ONCE: Final = 64
CORES: Final = len(os.sched_getaffinity(0))


@dataclass(frozen=True, slots=True)
class Subject:
    """A model and the cases it is asked about.

    Attributes:
        model: in evaluation mode, its weights without gradients.
        cases: N of them.
        temperatures: of the calibration.
        encoded: of all cases, with everything there.
        answers: place of the diagnosis that is explained in each case, (N,).
    """

    model: MultimodalModel
    cases: Cases
    temperatures: Sequence[float]
    encoded: Encoded
    answers: Places

    @classmethod
    def of(
        cls, model: MultimodalModel, cases: Cases, temperatures: Sequence[float], answers: Places | None = None
    ) -> Subject:
        """Encode cases; `answers` are the likeliest diagnoses unless others are given."""
        with torch.no_grad():
            parts = [model.encode(part.batch) for part in cases.parts()]
        names = Encoded.__dataclass_fields__
        encoded = Encoded(*(torch.cat([getattr(part, name) for part in parts]) for name in names))
        if answers is None:
            answers = _logits(model, encoded).argmax(1)
        return cls(model, cases, temperatures, encoded, answers)

    def pick(self, rows: slice) -> Subject:
        """Return some of the cases."""
        encoded = Encoded(*(getattr(self.encoded, name)[rows] for name in Encoded.__dataclass_fields__))
        return Subject(self.model, self.cases.pick(rows), self.temperatures, encoded, self.answers[rows])

    def ask(self, modality: Modality) -> Ask:
        """Return the question about the parts of one modality."""
        asks: dict[Modality, Ask] = {"image": self.film, "text": self.note, "structured": self.values}
        return asks[modality]

    def film(self, kept: Flags) -> Doubles:
        """Answer with the patches `kept` (N, PATCHES), the others blurred."""

        def encode(rows: slice) -> Encoded:
            part = self.cases.pick(rows)
            covered = torch.from_numpy(patch_mask(~kept[rows]))[:, None]
            films = torch.where(covered, part.blurred, part.batch.image)
            memory = self.model.fusion.from_image(self.model.look(films)[0])
            return self._with(rows, image=self.model.keep_image(memory, part.batch.image_present))

        return self._answer(encode, AT_ONCE)

    def note(self, kept: Flags) -> Doubles:
        """Answer with the words `kept` (N, width); the pieces of the others are deleted, the rest moves up."""

        def encode(rows: slice) -> Encoded:
            part = self.cases.pick(rows)
            tokens = delete(part.batch.tokens, part.words, torch.from_numpy(kept[rows]))
            text = self.model.fusion.from_text(self.model.text(tokens))
            # A note of which no word is left is no note.
            present = part.batch.text_present * torch.from_numpy(kept[rows].any(1, keepdims=True)).float()
            bias = self.model.query_bias(tokens, present)
            return self._with(rows, text=self.model.keep_text(text, present), bias=bias)

        return self._answer(encode, AT_ONCE)

    def values(self, kept: Flags) -> Doubles:
        """Answer with the structured inputs `kept` (N, SLOTS), the others absent."""

        def encode(rows: slice) -> Encoded:
            batch = self.cases.pick(rows).batch
            given = batch.value_present * torch.from_numpy(kept[rows]).float()
            return self._with(rows, structured=self.model.structured(batch.values, given, batch.value_age))

        return self._answer(encode, FUSED_AT_ONCE)

    def values_of_first(self, kept: Flags) -> Doubles:
        """Answer the first case with each set of structured inputs `kept` (M, SLOTS): probabilities (M,)."""
        batch, one, found = self.cases.batch, self.pick(slice(0, 1)).encoded, []
        with torch.no_grad():
            for some in torch.split(torch.from_numpy(kept).float(), FUSED_AT_ONCE):
                many = len(some)
                given = batch.value_present[:1] * some
                ages = batch.value_age[:1].expand(many, -1)
                tokens = self.model.structured(batch.values[:1].expand(many, -1), given, ages)
                queries = self.model.fusion.join(one.text.expand(many, -1, -1), tokens)
                memory, bias = one.image.expand(many, -1, -1), one.bias.expand(many, -1, -1, -1)
                found.append(self.model.fusion(queries, memory, bias).logits)
        shares: Doubles = probabilities(torch.cat(found).numpy(), self.temperatures)[:, self.answers[0]]
        return shares

    def _with(self, rows: slice, **changed: Tensor) -> Encoded:
        """Return what was encoded of some cases, with other tokens of one modality."""
        return Encoded(*(changed.get(name, getattr(self.encoded, name)[rows]) for name in Encoded.__dataclass_fields__))

    def _answer(self, encode: Callable[[slice], Encoded], at_once: int) -> Doubles:
        def run(start: int) -> Doubles:
            rows = slice(start, start + at_once)
            with torch.no_grad():  # of this thread alone
                shares = probabilities(_logits(self.model, encode(rows)), self.temperatures)
            found: Doubles = np.take_along_axis(shares, self.answers[rows, None], 1)[:, 0]
            return found

        starts = range(0, len(self.cases), at_once)
        # One thread of PyTorch each: its own two would wait for each other whenever another process has the core.
        with ThreadPoolExecutor(CORES) as pool:
            return np.concatenate(list(pool.map(run, starts)))


def _logits(model: MultimodalModel, encoded: Encoded) -> npt.NDArray[np.float32]:
    with torch.no_grad():
        queries = model.fusion.join(encoded.text, encoded.structured)
        logits: npt.NDArray[np.float32] = model.fusion(queries, encoded.image, encoded.bias).logits.numpy()
    return logits


def delete(tokens: Tensor, words: Tensor, kept: Tensor) -> Tensor:
    """Delete word pieces, and move what stands behind them up.

    Args:
        tokens: ids (N, T), 0 at padding.
        words: word of each piece (N, T), `NO_WORD` for pieces that always stay.
        kept: which words stay, (N, W).
    """
    stays = (words == NO_WORD) | kept.gather(1, words.clamp(min=0))
    # A stable sort of "gone" puts the pieces that stay first, in their order.
    order = torch.argsort((~stays).long(), dim=1, stable=True)
    return (tokens * stays).gather(1, order)
