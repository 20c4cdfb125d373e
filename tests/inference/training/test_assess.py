from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inference.backends import Backend
from inference.calibrate import NEVER, prediction_set, sure_enough
from inference.checkpoint import Checkpoint
from inference.figures import Figure
from inference.manifest import MASKS, Calibration, Selection
from inference.training.answer_figures import answer_figures, calibrate_everything, calibrate_mask, verdict_figures
from inference.training.assess import assess
from inference.training.data.films import read_folder
from inference.training.metrics import calibration_error, macro_auc
from tests.inference.training.made import draw_answers, make_folder

ANSWERS = draw_answers(300)
CALIBRATION = Calibration(
    (1.2, 0.9, 1.1), 0.9, dict.fromkeys(MASKS, 0.7), Selection(0.15, 0.1, dict.fromkeys(MASKS, 0.5))
)


@pytest.fixture(scope="module")
def figures() -> dict[str, Figure]:
    """The figures of made-up answers, by name."""
    return {figure.name: figure for figure in answer_figures(ANSWERS, CALIBRATION)}


@pytest.mark.parametrize("mask", ["image", "text+structured"])
def test_sets_and_verdicts_are_those_of_serving(mask: str) -> None:
    """Coverage, size and verdict agree with what `Predictor` would say of each case."""
    cases = calibrate_mask(draw_answers(300), CALIBRATION, mask)
    sets = [prediction_set(row, 0.7) for row in cases.shares]

    assert cases.sizes.tolist() == [len(places) for places in sets]
    assert cases.covered.tolist() == [label in places for label, places in zip(cases.labels, sets, strict=True)]
    assert cases.answered.tolist() == [
        len(places) == 1 and sure_enough(row, 0.5) for row, places in zip(cases.shares, sets, strict=True)
    ]


def test_each_case_is_judged_by_what_it_has() -> None:
    """With all there is, a case without a note has the quantile and threshold of cases without a note."""
    quantiles = {**CALIBRATION.quantiles, "image+structured": 0.2}
    cases = calibrate_everything(draw_answers(30), replace(CALIBRATION, quantiles=quantiles))

    assert cases.quantile[:4].tolist() == [0.2, 0.7, 0.7, 0.2]


def test_figures_are_what_they_are_named(figures: dict[str, Figure]) -> None:
    """`auc` and `ece` are those of all that is there, `coverage.image` that of the film alone."""
    everything = calibrate_everything(ANSWERS, CALIBRATION)

    assert figures["auc"].value == macro_auc(everything.labels, everything.shares)
    assert figures["ece"].value == calibration_error(everything.labels, everything.shares)
    assert figures["coverage.image"].value == calibrate_mask(ANSWERS, CALIBRATION, "image").covered.mean()


def test_shares_hold_their_interval(figures: dict[str, Figure]) -> None:
    """Every figure that is a share lies within its interval, and counts films."""
    shares = [one for name, one in figures.items() if name.startswith(("auc", "coverage", "recall", "selective."))]

    assert len(shares) > 30
    assert all(one.low <= one.value <= one.high for one in shares if one.low is not None and one.high is not None)
    assert figures["coverage.image"].n == 300


def test_without_thresholds_every_single_diagnosis_is_an_answer() -> None:
    """A checkpoint without a selection answers wherever the set holds one diagnosis."""
    cases = calibrate_everything(draw_answers(200), replace(CALIBRATION, selection=None))

    np.testing.assert_array_equal(cases.answered, cases.sizes == 1)


def test_model_that_never_answers_has_no_error_of_answers() -> None:
    """Where nothing is answered there is no share of wrong answers, and it is not given as 0."""
    selection = Selection(0.15, 0.1, dict.fromkeys(MASKS, NEVER))
    cases = calibrate_everything(draw_answers(200), replace(CALIBRATION, selection=selection))

    assert [(one.name, one.value) for one in verdict_figures(cases)] == [("selective.answered", 0)]


@pytest.fixture(scope="module")
def assessed(tiny: Checkpoint, backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Figure]:
    """What `mllm-cds evaluate` measures of a graph that has learned nothing, on 24 films of noise."""
    films = read_folder(make_folder(tmp_path_factory.mktemp("films"), 8))
    return {figure.name: figure for figure in assess(tiny, backend, films)}


@pytest.mark.parametrize("name", [*(f"coverage.{mask}" for mask in MASKS), "ece.adaptive", "brier", "selective.aurc"])
def test_stable_names_are_there(assessed: dict[str, Figure], name: str) -> None:
    """Acceptance scripts find the figures they read, each from the number of films and not of simulated cases."""
    assert 0 < assessed[name].n <= 24


def test_exchanging_the_film_is_measured(assessed: dict[str, Figure]) -> None:
    """How far the answer moves with a film of another class is a mean change of probability."""
    assert 0 < assessed["image_swap.mean_change"].value < 1
