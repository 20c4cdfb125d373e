"""Films of sources never trained on -> how often they are refused, and what the image alone would have said.

Both sources are adults, whom the scope refuses: the AUC is a figure outside the scope, no promise about anyone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from fhir_adapter.record import Demographics
from inference.contract import DIAGNOSES
from inference.figures import Figure
from inference.prediction import Verdict
from inference.training.data.adult import find_adult
from inference.training.data.films import FolderError
from inference.training.data.severity import read_severity
from inference.training.resampling import interval, patient_weights, weighted_auc
from inference.training.robustness.charts import demographics_of, film_chart, read_pixels
from inference.training.robustness.judge import Answers, Judge
from inference.training.scope.strangers import half_of

NORMAL: Final = [diagnosis.key for diagnosis in DIAGNOSES].index("normal")
A_CHILD: Final = demographics_of(36, None)
"""Demographics in scope, to see what the film alone is refused for."""
JUDGED_BY: Final = 1
"""The half of the adult patients that no gate is fitted to (`inference.training.scope.strangers`)."""
Verdicts = npt.NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Foreigner:
    """One film of another source: whose it is, what they know of the patient, and the findings on it."""

    path: Path
    patient: str
    demographics: Demographics
    findings: frozenset[str]


def read_adults(folder: Path) -> list[Foreigner]:
    """List the films of a folder laid out as `chest-xray-adult` is; raises FolderError as `find_adult` does."""
    return [
        Foreigner(film.path, film.patient, demographics_of(film.age_months, film.female), film.present)
        for film in find_adult(folder)
    ]


def read_severe(folder: Path) -> list[Foreigner]:
    """List the films of a folder laid out as `chest-xray-severity` is, where no age is on file; raises likewise."""
    return [
        Foreigner(film.path, film.patient, demographics_of(None, film.female), frozenset())
        for film in read_severity(folder)
    ]


def judge_elsewhere(judge: Judge, films: Sequence[Foreigner]) -> tuple[Answers, Answers]:
    """Answer films by the image alone; the verdicts are those with their own demographics, and with a child's."""
    charts = [film_chart(read_pixels(film.path)) for film in films]
    seen = judge.look(charts)
    own = [replace(chart, demographics=film.demographics) for chart, film in zip(charts, films, strict=True)]
    child = [replace(chart, demographics=A_CHILD) for chart in charts]
    return judge.rule(seen, own), judge.rule(seen, child)


def refusals(name: str, own: Verdicts, child: Verdicts) -> list[Figure]:
    """Return how often films are refused: with what is known of the patient, and for the film alone."""
    return [
        Figure(f"elsewhere.{name}.{what}", float(np.mean(verdicts == Verdict.OUT_OF_SCOPE)), "1", len(verdicts))
        for what, verdicts in (("refused", own), ("refused_by_film", child))
    ]


def adult_figures(judge: Judge, films: Sequence[Foreigner]) -> list[Figure]:
    """Return refusals, and the AUC of P(pneumonia) by the image alone: labelled Pneumonia against No Finding.

    An image gate may have been fitted to one half of these patients, so refusals count the other half alone.

    Raises:
        FolderError: there are not films of both findings, or no patient that no gate was fitted to.
    """
    own, child = judge_elsewhere(judge, films)
    strange = np.array([half_of(film.patient) == JUDGED_BY for film in films])
    sick = np.array(["Pneumonia" in film.findings for film in films])
    told = np.flatnonzero(sick | np.array(["No Finding" in film.findings for film in films]))
    if len(set(sick[told])) < 2 or not strange.any():
        raise FolderError("the adult films must have some labelled Pneumonia, some No Finding, and more patients")
    scores = 1 - own.probabilities[told, NORMAL]
    weights = patient_weights([films[int(place)].patient for place in told])
    area = float(weighted_auc(sick[told], scores, np.ones((1, len(told))))[0])
    ends = interval(weighted_auc(sick[told], scores, weights))
    found = refusals("adult", own.verdicts[strange], child.verdicts[strange])
    return [*found, Figure("elsewhere.adult.auc", area, "1", len(told), *ends)]


def severity_figures(judge: Judge, films: Sequence[Foreigner]) -> list[Figure]:
    """Return refusals, and the mean P(pneumonia) by the image alone: every patient there has COVID-19."""
    own, child = judge_elsewhere(judge, films)
    mean = float(np.mean(1 - own.probabilities[:, NORMAL]))
    return [
        *refusals("severity", own.verdicts, child.verdicts),
        Figure("elsewhere.severity.mean_probability", mean, "1", len(films)),
    ]
