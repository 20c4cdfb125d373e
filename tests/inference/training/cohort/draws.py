"""Simulated children and cases for the tests, drawn once."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from inference.contract import MEASUREMENTS
from inference.training.cohort import draw_case
from inference.training.cohort.grammar import GrammarName
from inference.training.cohort.parameters import GROUPS, Group
from inference.training.cohort.physiology import Child, draw_child
from inference.training.cohort.stream import Stream
from inference.training.cohort.symptoms import FINDINGS, chart_findings, draw_findings
from inference.training.data.case import Case

FloatArray = npt.NDArray[np.float64]
CHILDREN = 4000


@cache
def children(group: Group) -> list[Child]:
    """Draw the children of one group."""
    rng = np.random.default_rng([1, GROUPS.index(group)])
    return [draw_child(group, rng) for _ in range(CHILDREN)]


@cache
def charts(group: Group) -> list[tuple[dict[str, bool], dict[str, bool]]]:
    """Draw what each of these children has, and what was charted."""
    rng = np.random.default_rng([2, GROUPS.index(group)])
    stream = Stream(rng)
    true = [(child, draw_findings(child, rng)) for child in children(group)]
    return [(findings, chart_findings(child, findings, stream)) for child, findings in true]


@cache
def cases(label: str, grammar: GrammarName, count: int = 2000) -> list[Case]:
    """Draw whole cases of one class."""
    rng = np.random.default_rng([3, len(label), len(grammar)])
    return [draw_case(label, rng, grammar=grammar) for _ in range(count)]


def notes(label: str, grammar: GrammarName) -> list[str]:
    """Return the notes of these cases."""
    return [case.note for case in cases(label, grammar) if case.note is not None]


def values(group: Group, key: str) -> FloatArray:
    """Return one quantity of all children of a group."""
    return np.array([child.values[key] for child in children(group)])


def measured(group: Group) -> FloatArray:
    """Return all structured inputs on the model's scale, (CHILDREN, SLOTS)."""
    return np.array([[slot.standardise(child.values[slot.key]) for slot in MEASUREMENTS] for child in children(group)])


def charted(group: Group) -> FloatArray:
    """Return what a note could state, (CHILDREN, findings and days): where crackles were heard only if they were."""
    rows = [
        [float(chart[name] and (name != "focal_crackles" or chart["crackles"])) for name in FINDINGS]
        for _, chart in charts(group)
    ]
    days = [[np.log(child.days)] for child in children(group)]
    return np.hstack([np.array(rows), np.array(days)])


def separation(first: FloatArray, second: FloatArray) -> float:
    """Return the AUC of a logistic regression fitted on one half of two groups and judged on the other."""
    half = len(first) // 2
    truth = np.repeat([1, 0], half)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    model.fit(np.vstack([first[:half], second[:half]]), truth)
    return float(roc_auc_score(truth, model.decision_function(np.vstack([first[half:], second[half:]]))))
