from __future__ import annotations

import numpy as np
import pytest

from inference.training.compare.scores import METRICS, over_seeds, score
from inference.training.metrics import accuracy


def draw(seed: int, skill: float = 1.5, count: int = 240) -> tuple[np.ndarray, np.ndarray]:
    """Labels of three classes, the same for every seed, and probabilities that know `skill` of them."""
    labels = np.random.default_rng(99).integers(0, 3, count).astype(np.int64)
    logits = np.random.default_rng(seed).normal(size=(count, 3)) + skill * np.eye(3)[labels]
    return labels, (np.exp(logits) / np.exp(logits).sum(1, keepdims=True)).astype(np.float32)


def one_hot(*named: int) -> np.ndarray:
    return np.eye(3, dtype=np.float32)[list(named)]


def test_seeds_are_averaged_by_their_figures() -> None:
    """Two seeds right in 3 of 3 and 1 of 3 cases are right in two thirds, whatever their mean probability says."""
    stack = np.stack([one_hot(0, 1, 2), one_hot(0, 0, 0)], -1)

    assert over_seeds(accuracy)(np.array([0, 1, 2]), stack) == pytest.approx(2 / 3)


def test_system_against_itself_has_an_interval_of_nought() -> None:
    """Both are judged on the same drawn patients: unpaired draws would differ."""
    labels, found = draw(2)
    figures = {figure.name: figure for figure in score(labels, groups_of(labels), {"mllm": [found], "same": [found]})}
    paired = figures["mllm_minus_same.auc"]

    assert (paired.value, paired.low, paired.high) == (0, 0, 0)


def test_paired_interval_is_narrower_than_the_two_alone() -> None:
    """Two systems that err on the same cases differ by less than either varies."""
    labels, found = draw(3)
    _, noise = draw(4, skill=0.0)
    worse = (0.8 * found + 0.2 * noise).astype(np.float32)
    figures = {figure.name: figure for figure in score(labels, groups_of(labels), {"mllm": [found], "worse": [worse]})}
    width = {name: (figure.high or 0) - (figure.low or 0) for name, figure in figures.items()}

    assert 0 < width["mllm_minus_worse.auc"] < width["mllm.auc"]
    assert figures["mllm_minus_worse.auc"].value == pytest.approx(
        figures["mllm.auc"].value - figures["worse.auc"].value
    )


def test_paired_interval_of_a_hand_made_case() -> None:
    """Of two children the systems differ on one, by 0 or by all: so does the interval of the difference."""
    labels, groups = np.array([0, 1, 2] * 2), ["well"] * 3 + ["ill"] * 3
    # On the second child the other system gives each class the least where it is true: AUC 0 against 1.
    right = one_hot(0, 1, 2)
    answers = {"mllm": [np.concatenate([right, right])], "other": [np.concatenate([right, 1 - right])]}
    figures = {figure.name: figure for figure in score(labels, groups, answers)}
    ahead = figures["mllm_minus_other.auc"]

    # Each class, of both children: 1 and 0 where it is true, 0, 0, 1 and 1 where it is not: 4 of 8 pairs, ties halved.
    assert ahead.value == pytest.approx(1 - 0.5)
    # Two children are drawn: the first twice, each once, or the second twice.
    assert (ahead.low, ahead.high) == (0, 1)


def test_figures_of_seeds_are_means_on_the_same_patients() -> None:
    """The difference to two seeds is the mean of the differences to each."""
    labels, found = draw(6)
    others = [draw(7)[1], draw(8)[1]]

    def ahead(seeds: list[np.ndarray]) -> float:
        figures = score(labels, groups_of(labels), {"mllm": [found], "other": seeds})
        return {figure.name: figure.value for figure in figures}["mllm_minus_other.auc"]

    assert ahead(others) == pytest.approx((ahead(others[:1]) + ahead(others[1:])) / 2)


def test_every_system_gets_every_metric() -> None:
    """Names are `<system>.<metric>`, and every system but the first has its difference."""
    labels, found = draw(5)
    names = [figure.name for figure in score(labels, groups_of(labels), {"mllm": [found], "other": [found, found]})]

    assert names == [f"{system}.{metric}" for system in ("mllm", "other") for metric in METRICS] + [
        "mllm_minus_other.auc"
    ]


def groups_of(labels: np.ndarray) -> list[str]:
    """Two films a patient."""
    return [f"p{place // 2}" for place in range(len(labels))]
