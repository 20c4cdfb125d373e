"""A checkpoint and labelled films -> accuracy, AUC, ECE and refusals, as each modality gets worse in steps.

Every chart counts in accuracy, AUC and ECE, with the probabilities it would have got, also where the predictor
refuses it: otherwise a model that refuses the hard ones would look better the worse they are. Beside them stands how
far the probability of the true class moved: what a model does not read cannot be disturbed, and is no robustness.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from inference.contract import DIAGNOSES
from inference.figures import Figure
from inference.prediction import Verdict
from inference.training.data.films import Film, FolderError
from inference.training.metrics import accuracy, calibration_error
from inference.training.resampling import Doubles, interval, patient_weights, weighted_macro_auc
from inference.training.robustness.charts import subjects_of
from inference.training.robustness.judge import Answers, Judge
from inference.training.robustness.kind import STEPS, Kind, Subject, generator_of
from inference.training.robustness.kinds import KINDS

METRICS: Final = ("accuracy", "auc", "ece", "refused", "unsure", "change")


@dataclass(frozen=True, slots=True)
class Point:
    """One step of one kind: the metrics by their names, the interval of the AUC, and its bootstrap values (draws,)."""

    metrics: dict[str, float]
    interval: tuple[float, float]
    draws: Doubles


@dataclass(frozen=True, slots=True)
class Curve:
    """A kind with its points from step 0, which is the same for all kinds, to the strongest."""

    kind: Kind
    points: tuple[Point, ...]

    def drop(self) -> tuple[float, float, float]:
        """Return how much AUC the strongest step costs, with the 95 % interval of the paired difference."""
        first, last = self.points[0], self.points[-1]
        low, high = interval(first.draws - last.draws)
        return first.metrics["auc"] - last.metrics["auc"], low, high


@dataclass(frozen=True, slots=True)
class Cases:
    """Charts with the truth: labels (N,) and how often each bootstrap draw holds each case, (draws, N)."""

    subjects: list[Subject]
    labels: npt.NDArray[np.int64]
    weights: Doubles

    @classmethod
    def around(cls, films: Sequence[Film], seed: int) -> Cases:
        """Simulate a case around each film.

        Raises:
            FolderError: a class has no film among them, so that there is no AUC.
        """
        labels = np.array([film.label for film in films], np.int64)
        if missing := [item.key for place, item in enumerate(DIAGNOSES) if place not in labels]:
            raise FolderError(f"the films chosen hold no film of class {', '.join(missing)}: judge more of them")
        return cls(subjects_of(films, seed), labels, patient_weights([film.group for film in films]))


def pick_films(films: Sequence[Film], count: int | None) -> list[Film]:
    """Return `count` films drawn by their names, the same on every machine, or all of them."""
    if count is None or count >= len(films):
        return list(films)
    drawn = sorted(films, key=lambda film: generator_of("films", film.path.name).random())[:count]
    return sorted(drawn, key=lambda film: film.path)


def point_of(cases: Cases, answers: Answers, before: Answers) -> Point:
    """Measure one step, with the answers at step 0 beside it."""
    labels, found = cases.labels, answers.probabilities
    rows = np.arange(len(labels))
    draws = weighted_macro_auc(labels, found, cases.weights)
    once = np.ones((1, len(labels)))
    metrics = {
        "accuracy": accuracy(labels, found),
        "auc": float(weighted_macro_auc(labels, found, once)[0]),
        "ece": calibration_error(labels, found),
        "refused": answers.share(Verdict.OUT_OF_SCOPE),
        "unsure": answers.share(Verdict.UNSURE),
        "change": float(np.abs(found - before.probabilities)[rows, labels].mean()),
    }
    return Point(metrics, interval(draws), draws)


def measure(judge: Judge, cases: Cases, done: Callable[[], None], kinds: Sequence[Kind] = KINDS) -> list[Curve]:
    """Measure every kind at every step; `done` is called after each run over the cases."""

    def at(kind: Kind, step: int) -> Answers:
        answers = judge.answer([kind.apply(subject, step) for subject in cases.subjects])
        done()
        return answers

    before = at(kinds[0], 0)
    first = point_of(cases, before, before)
    return [
        Curve(kind, (first, *(point_of(cases, at(kind, step), before) for step in range(1, STEPS)))) for kind in kinds
    ]


def count_runs(kinds: Sequence[Kind] = KINDS) -> int:
    """Return how often `measure` goes over the cases."""
    return 1 + len(kinds) * (STEPS - 1)


def figures_of(curves: Sequence[Curve], count: int) -> list[Figure]:
    """Return `robustness.<modality>.<kind>.<step>.<metric>` and `robustness.<kind>.auc_drop` for `count` films."""
    figures = []
    for curve in curves:
        drop, low, high = curve.drop()
        figures.append(Figure(f"robustness.{curve.kind.name}.auc_drop", drop, "1", count, low, high))
        for step, point in enumerate(curve.points):
            prefix = f"robustness.{curve.kind.modality}.{curve.kind.name}.{step}"
            for name in METRICS:
                ends = point.interval if name == "auc" else (None, None)
                figures.append(Figure(f"{prefix}.{name}", point.metrics[name], "1", count, *ends))
    return figures
