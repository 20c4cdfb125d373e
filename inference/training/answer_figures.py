"""Answers and a calibration -> the figures that say how far probabilities, sets and verdicts can be trusted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from inference.calibrate import NEVER, DoubleArray, probabilities
from inference.contract import DIAGNOSES, FloatArray
from inference.figures import Figure
from inference.manifest import MASKS, Calibration
from inference.training.judged import Answers, Flags, Names
from inference.training.metrics import (
    Labels,
    Metric,
    accuracy,
    adaptive_error,
    bootstrap,
    brier,
    calibration_error,
    calibration_line,
    classwise_error,
    macro_auc,
    macro_f1,
    macro_precision,
    macro_recall,
    ratio_interval,
    risk_coverage_area,
)
from inference.training.resampling import interval, patient_weights, weighted_macro_auc
from inference.training.selective import single_sets

OF_EACH_MASK: Final[dict[str, Metric]] = {"accuracy": accuracy, "ece": calibration_error}
OF_EVERYTHING: Final[dict[str, Metric]] = OF_EACH_MASK | {
    "precision": macro_precision,
    "recall": macro_recall,
    "f1": macro_f1,
    "ece.adaptive": adaptive_error,
    "ece.classwise": classwise_error,
    "brier": brier,
    "selective.aurc": risk_coverage_area,
}


@dataclass(frozen=True, slots=True)
class Calibrated:
    """Judged cases with what the calibration makes of them.

    Attributes:
        shares: calibrated probabilities, (N, CLASSES).
        labels: true diagnosis, (N,).
        groups: patient, (N,).
        quantile: conformal quantile that holds for each case, (N,).
        least: probability from which on each case is answered, (N,).
        films: number of films behind the cases.
    """

    shares: FloatArray
    labels: Labels
    groups: Names
    quantile: DoubleArray
    least: DoubleArray
    films: int

    @property
    def wrong(self) -> Flags:
        """Which cases have another diagnosis than the likeliest."""
        missed: Flags = self.shares.argmax(1) != self.labels
        return missed

    @property
    def covered(self) -> Flags:
        """Which prediction sets hold the truth, as `inference.calibrate.prediction_set` makes them."""
        held: Flags = self.shares[np.arange(len(self.labels)), self.labels] >= 1 - self.quantile
        return held | ~self.wrong

    @property
    def sizes(self) -> DoubleArray:
        """How many diagnoses each set holds, (N,)."""
        inside = (self.shares >= 1 - self.quantile[:, None]).sum(1)
        sizes: DoubleArray = np.maximum(inside, 1).astype(np.float64)
        return sizes

    @property
    def answered(self) -> Flags:
        """Which cases get the verdict `answer`."""
        sure: Flags = (self.least < NEVER) & (self.shares.max(1) >= self.least)
        return sure & single_sets(self.shares, self.quantile)


def calibrate_mask(answers: Answers, calibration: Calibration, mask: str) -> Calibrated:
    """Return the cases that have all of a mask, judged with that alone."""
    kept = answers.having(mask)
    return calibrate_rows(answers.pick(kept), calibration, np.full(int(kept.sum()), mask))


def calibrate_everything(answers: Answers, calibration: Calibration) -> Calibrated:
    """Return all cases, each judged with all it has."""
    return calibrate_rows(answers, calibration, answers.fullest())


def calibrate_rows(answers: Answers, calibration: Calibration, masks: Names) -> Calibrated:
    """Calibrate each case with the modalities of its mask (N,)."""
    logits, quantile, least = (
        np.empty((len(masks), len(DIAGNOSES)), np.float32),
        np.ones(len(masks)),
        np.zeros(len(masks)),
    )
    for mask in np.unique(masks):
        rows = masks == mask
        logits[rows], quantile[rows] = answers.logits[mask][rows], calibration.quantiles[mask]
        if calibration.selection is not None:
            least[rows] = calibration.selection.answer_from[mask]
    shares = probabilities(logits, calibration.temperatures).astype(np.float32)
    return Calibrated(shares, answers.labels, answers.groups, quantile, least, len(np.unique(answers.films)))


def counted(name: str, part: Flags | DoubleArray, whole: Flags, cases: Calibrated) -> Iterator[Figure]:
    """Yield a mean over the cases of `whole` with its interval by patients; nothing where there is no such case."""
    if whole.any():
        low, high = ratio_interval(part * whole, whole, cases.groups)
        yield Figure(name, float(part[whole].mean()), "1", cases.films, low, high)


def set_figures(cases: Calibrated, mask: str) -> Iterator[Figure]:
    """Yield coverage and size of the prediction sets of one mask."""
    everyone = np.ones(len(cases.labels), bool)
    yield from counted(f"coverage.{mask}", cases.covered, everyone, cases)
    yield from counted(f"set_size.{mask}", cases.sizes, everyone, cases)


def verdict_figures(cases: Calibrated, ending: str = "") -> Iterator[Figure]:
    """Yield how often the verdict is an answer, and how often an answer is wrong."""
    yield from counted(f"selective.answered{ending}", cases.answered, np.ones(len(cases.labels), bool), cases)
    yield from counted(f"selective.error{ending}", cases.wrong, cases.answered, cases)


def metric_figures(cases: Calibrated, metrics: dict[str, Metric], ending: str = "") -> Iterator[Figure]:
    """Yield each metric of the probabilities with its interval by patients."""
    for name, metric in metrics.items():
        low, high = bootstrap(metric, cases.labels, cases.shares, cases.groups)
        yield Figure(name + ending, metric(cases.labels, cases.shares), "1", cases.films, low, high)


def auc_figure(cases: Calibrated, ending: str = "") -> Figure:
    """Return the macro AUC with its interval by patients."""
    # Apart from the other metrics: sorting anew for each of hundreds of draws takes longer than all the rest.
    low, high = interval(weighted_macro_auc(cases.labels, cases.shares, patient_weights(list(cases.groups))))
    return Figure(f"auc{ending}", macro_auc(cases.labels, cases.shares), "1", cases.films, low, high)


def class_figures(cases: Calibrated) -> Iterator[Figure]:
    """Yield for each diagnosis its recall, and slope and intercept of its calibration."""
    named = cases.shares.argmax(1)
    for place, diagnosis in enumerate(DIAGNOSES):
        truth = cases.labels == place
        yield from counted(f"recall.{diagnosis.key}", named == place, truth, cases)
        slope, intercept = calibration_line(truth, cases.shares[:, place])
        yield Figure(f"calibration.slope.{diagnosis.key}", slope, "1", cases.films)
        yield Figure(f"calibration.intercept.{diagnosis.key}", intercept, "log-odds", cases.films)


def answer_figures(answers: Answers, calibration: Calibration) -> list[Figure]:
    """Return every figure of a calibration: with all that is there, and with each set of modalities."""
    everything = calibrate_everything(answers, calibration)
    figures = [auc_figure(everything), *metric_figures(everything, OF_EVERYTHING), *class_figures(everything)]
    figures += verdict_figures(everything)
    for mask in MASKS:
        cases = calibrate_mask(answers, calibration, mask)
        figures += set_figures(cases, mask)
        if mask != MASKS[-1]:
            figures += [auc_figure(cases, f".{mask}"), *metric_figures(cases, OF_EACH_MASK, f".{mask}")]
            figures += verdict_figures(cases, f".{mask}")
    return figures
