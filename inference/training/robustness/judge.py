"""Charts -> what the whole predictor answers: the one place here that knows how a checkpoint answers.

Encoding, scope and calibration are those that serve (`inference.encode`, `inference.predict`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from fhir_adapter.record import PatientRecord
from inference.backends import Backend
from inference.backends.protocol import Array
from inference.checkpoint import Checkpoint
from inference.contract import ANSWER_NAMES, INPUT_SHAPES, ModelInputs, ModelOutputs, Tensor
from inference.encode import Encoder, present_modalities
from inference.predict import Predictor
from inference.prediction import Verdict
from inference.training.metrics import Probabilities
from inference.training.robustness.charts import ASKED_AT

BATCH: Final = 16


@dataclass(frozen=True, slots=True)
class Seen:
    """One chart after the graph: its inputs, and its outputs as far as an answer needs them."""

    inputs: ModelInputs
    outputs: ModelOutputs


@dataclass(frozen=True, slots=True)
class Answers:
    """Calibrated probabilities (N, CLASSES), those of refused charts included, and the verdict on each chart."""

    probabilities: Probabilities
    verdicts: npt.NDArray[np.str_]

    def share(self, verdict: Verdict) -> float:
        """Return the share of charts with a verdict."""
        return float(np.mean(self.verdicts == verdict))


class Judge:
    """Answers charts as the service would, in batches."""

    def __init__(self, checkpoint: Checkpoint, graph: Backend) -> None:
        self.encoder, self.graph = Encoder(checkpoint), graph
        # Only its rules are asked here; the graph is run in batches, by this class.
        self.predictor = Predictor(checkpoint, graph)

    def look(self, records: Sequence[PatientRecord]) -> list[Seen]:
        """Encode charts and run the graph on them."""
        seen = []
        for start in range(0, len(records), BATCH):
            inputs = [self.encoder.encode(record, ASKED_AT) for record in records[start : start + BATCH]]
            arrays = {name: np.concatenate([item.arrays[name] for item in inputs]) for name in INPUT_SHAPES}
            found = self.graph.run(arrays, (Tensor.LOGITS, Tensor.IMAGE_FEATURE))
            seen += [Seen(item, outputs) for item, outputs in zip(inputs, one_by_one(found), strict=True)]
        return seen

    def rule(self, seen: Sequence[Seen], records: Sequence[PatientRecord]) -> Answers:
        """Say what the predictor makes of the graph's outputs, for the charts they came from."""
        rows, verdicts = [], []
        for item, record in zip(seen, records, strict=True):
            answer = self.predictor.answer(item.outputs.logits, present_modalities(item.inputs))
            refused = self.predictor.objections(item.inputs, item.outputs, record, ASKED_AT)
            rows.append([likelihood.probability for likelihood in answer.likelihoods])
            verdicts.append(Verdict.OUT_OF_SCOPE if refused else answer.verdict)
        return Answers(np.array(rows, np.float32), np.array(verdicts, np.str_))

    def answer(self, records: Sequence[PatientRecord]) -> Answers:
        """Answer charts."""
        return self.rule(self.look(records), records)


def one_by_one(found: dict[str, Array]) -> Iterator[ModelOutputs]:
    """Return the outputs of each patient; what the answer does not need is left empty."""
    empty = dict.fromkeys(ANSWER_NAMES, np.zeros(0, np.float32))
    for place in range(len(found[Tensor.LOGITS])):
        yield ModelOutputs(**{**empty, **{name: array[place] for name, array in found.items()}})
