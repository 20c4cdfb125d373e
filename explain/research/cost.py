"""What the first tier costs: a prediction with its explanation against the prediction alone, in one run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from explain.explainer import explain
from explain.image import FilmPictures, draw_films
from fhir_adapter.record import PatientRecord
from inference.backends.cut import PREDICTION, Part
from inference.backends.onnx import OnnxBackend
from inference.backends.protocol import in_pieces
from inference.checkpoint import Checkpoint
from inference.contract import ANSWER_NAMES, INPUT_SHAPES, ModelOutputs
from inference.encode import Encoder, present_modalities
from inference.figures import Figure
from inference.predict import Predictor

REPEATS: Final = 40
"""Rounds; each asks the same cases with and without the explanation, one after the other, so that both meet the same
load of the machine."""
RESAMPLES: Final = 2000
NOTHING: Final = dict.fromkeys(ANSWER_NAMES, np.zeros(0, np.float32))

Chart = tuple[PatientRecord, datetime]
"""A record and the moment of the question."""
Pair = tuple[Callable[[], object], Callable[[], object]]
Seconds = npt.NDArray[np.float64]


class Sides:
    """The same work twice: to the prediction, and to prediction, shares and claims."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self.encoder = Encoder(checkpoint)
        self.backend = OnnxBackend(checkpoint.model_path)
        self.predictor = Predictor(checkpoint, self.backend)
        self.answer = Part(checkpoint.model_path, list(INPUT_SHAPES), PREDICTION)

    def predict(self, record: PatientRecord, asked_at: datetime) -> None:
        """Encode a chart, run the part of the graph behind the answer, check the scope and calibrate."""
        inputs = self.encoder.encode(record, asked_at)
        found = self.answer.run(next(iter(in_pieces(inputs.arrays))))
        outputs = ModelOutputs(**{**NOTHING, **{name: array[0] for name, array in found.items()}})
        self.predictor.objections(inputs, outputs, record, asked_at)
        self.predictor.answer(outputs.logits, present_modalities(inputs))

    def explain(self, record: PatientRecord, asked_at: datetime, pictures: FilmPictures) -> None:
        """Encode a chart, run the whole graph, check the scope, calibrate, and make shares, marks and claims."""
        inputs = self.encoder.encode(record, asked_at)
        prediction, outputs = self.predictor.predict(inputs, record, asked_at)
        explain(record, inputs, outputs, prediction, self.checkpoint.card, pictures)

    def pair(self, chart: Chart, pictures: FilmPictures) -> Pair:
        """Return the way to the prediction, and the way to prediction and explanation, of one chart."""
        return lambda: self.predict(*chart), lambda: self.explain(*chart, pictures)

    def graph(self, record: PatientRecord, asked_at: datetime) -> Pair:
        """Return a run of the answer's part and one of the whole graph, on the same arrays."""
        arrays = next(iter(in_pieces(self.encoder.encode(record, asked_at).arrays)))
        return lambda: self.answer.run(arrays), lambda: self.backend.run_piece(arrays, ANSWER_NAMES)


def measure_cost(checkpoint: Checkpoint, charts: Sequence[Chart], repeats: int = REPEATS) -> list[Figure]:
    """Return `cost_ratio`, that of the graph alone, and the milliseconds behind both; one thread.

    From the chart as it was fetched: encoding, graph, scope and calibration on both sides; relevance, shares, marks and
    claims on one. The picture of the film is made beside the model and is on neither.

    Args:
        checkpoint: its graph runs in this process.
        charts: records and the moment of the question; all in scope.
        repeats: rounds.
    """
    sides = Sides(checkpoint)
    pictures = [draw_films(next(iter(record.films), None), None) for record, _ in charts]
    whole = _rounds([sides.pair(chart, drawn) for chart, drawn in zip(charts, pictures, strict=True)], repeats)
    graph = _rounds([sides.graph(*chart) for chart in charts], repeats)
    return [
        _ratio("cost_ratio", whole),
        _ratio("cost_ratio.graph", graph),
        *(_median(name, whole[:, side]) for side, name in enumerate(("prediction_ms", "prediction_and_first_tier_ms"))),
    ]


def _rounds(pairs: Sequence[Pair], repeats: int) -> Seconds:
    """Return seconds (rounds, 2): the sum over all cases without and with the explanation."""
    for pair in pairs:
        for side in pair:
            side()
    taken = np.zeros((repeats, 2))
    for row in taken:
        for pair in pairs:
            for place, side in enumerate(pair):
                began = time.perf_counter()
                side()
                row[place] += time.perf_counter() - began
    return taken / len(pairs)


def _ratio(name: str, taken: Seconds) -> Figure:
    """Return the ratio of the medians over the rounds, with its bootstrap interval over rounds."""
    drawn = np.random.default_rng(0).integers(0, len(taken), (RESAMPLES, len(taken)))
    medians = np.median(taken[drawn], axis=1)
    low, high = np.percentile(medians[:, 1] / medians[:, 0], [2.5, 97.5])
    middle = np.median(taken, axis=0)
    return Figure(name, float(middle[1] / middle[0]), "", len(taken), float(low), float(high))


def _median(name: str, taken: Seconds) -> Figure:
    return Figure(name, float(np.median(taken) * 1000), "ms", len(taken))
