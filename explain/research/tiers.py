"""A checkpoint and films -> what the second tier finds out about real answers, and how long it takes.

The whole way of the service: chart, encoder, graph, explanation, check; in this process and with one thread, as the
worker runs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np

from explain.explainer import explain
from explain.research.intervals import mean_figure
from explain.second import CheckInputs, check_case, check_inputs
from explain.tested import Tested
from fhir_adapter.record import PatientRecord
from inference.backends.onnx import OnnxBackend
from inference.bank import Bank
from inference.checkpoint import Checkpoint
from inference.contract import MODALITIES
from inference.encode import Encoder
from inference.explore import Explorer
from inference.figures import Figure
from inference.predict import Predictor
from inference.prediction import Verdict
from inference.training.data.films import Film
from inference.training.robustness.charts import ASKED_AT, subjects_of

CASES: Final = 12
"""Cases at most that are checked: the first ones."""
CHARTS: Final = 4
"""Charts at most that the cost is measured with."""


def second_tier_figures(
    checkpoint: Checkpoint, films: Sequence[Film], seed: int, done: Callable[[], None]
) -> list[Figure]:
    """Check the answers to the first films with the case simulated around each.

    `second_tier.duration_s` is the 95th percentile, `second_tier.duration_p50_s` the median. `shapley_residual` is the
    largest difference between the sum of the groups and the share of the record. `second_tier.withdrawn.<modality>` is
    the share of cases whose marks are no better than chance, and so are withdrawn.

    Args:
        checkpoint: the one that serves.
        films: charts are made around the first `CASES` of them; out of scope there is nothing to check.
        seed: of the simulation.
        done: called after each of these cases.
    """
    explorer, bank = Explorer(checkpoint), Bank.load(checkpoint.folder)
    backend = OnnxBackend(checkpoint.model_path)
    tested, patients = [], []
    chosen = films[:CASES]
    for film, subject in zip(chosen, subjects_of(chosen, seed), strict=True):
        case = answer(checkpoint, backend, subject.record)
        if case is not None:
            tested.append(check_case(case, explorer, bank))
            patients.append(film.group)
        done()
    return [] if not tested else [*tier_figures(tested), *withdrawn_figures(tested, patients)]


def charts_in_scope(checkpoint: Checkpoint, films: Sequence[Film], seed: int) -> list[PatientRecord]:
    """Return the charts of the first `CHARTS` films among the first `CASES` that the checkpoint answers."""
    backend = OnnxBackend(checkpoint.model_path)
    charts = [subject.record for subject in subjects_of(films[:CASES], seed)]
    return [chart for chart in charts if answer(checkpoint, backend, chart) is not None][:CHARTS]


def answer(checkpoint: Checkpoint, backend: OnnxBackend, record: PatientRecord) -> CheckInputs | None:
    """Return what the check of an answer takes, or None where the chart is out of scope."""
    inputs = Encoder(checkpoint).encode(record, ASKED_AT)
    prediction, outputs = Predictor(checkpoint, backend).predict(inputs, record, ASKED_AT)
    if prediction.verdict is Verdict.OUT_OF_SCOPE:
        return None
    return check_inputs(inputs, outputs, prediction, explain(record, inputs, outputs, prediction, checkpoint.card))


def tier_figures(tested: Sequence[Tested]) -> list[Figure]:
    """Return durations and the largest residual of some checks."""
    seconds, n = np.array([one.duration_ms for one in tested]) / 1000, len(tested)
    return [
        Figure("shapley_residual", max(one.residual for one in tested), "1", n),
        Figure("second_tier.duration_s", float(np.percentile(seconds, 95)), "s", n),
        Figure("second_tier.duration_p50_s", float(np.percentile(seconds, 50)), "s", n),
    ]


def withdrawn_figures(tested: Sequence[Tested], patients: Sequence[str]) -> Iterator[Figure]:
    """Yield for each modality the share of cases with it whose marks do not beat chance."""
    for modality in MODALITIES:
        found = [[one for one in item.fidelity if one.modality == modality] for item in tested]
        values = np.array([float(not one[0].holds) if one else np.nan for one in found])
        yield from mean_figure(f"second_tier.withdrawn.{modality}", values, patients)
