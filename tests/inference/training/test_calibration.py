from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize_scalar  # type: ignore[import-untyped]  # comes with scikit-learn

from inference.calibrate import NEVER, probabilities
from inference.manifest import MASKS
from inference.training.answer_figures import calibrate_mask
from inference.training.calibration import fit_calibration, fit_temperatures
from inference.training.judged import Judged
from inference.training.selective import Goal
from tests.inference.training.made import draw_answers, draw_judged


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_temperatures_undo_wrong_sharpness(sharpness: float) -> None:
    """Logits that are k times too sure get temperatures near k."""
    assert fit_temperatures([draw_judged(4000, sharpness)]) == pytest.approx((sharpness,) * 3, rel=0.15)


def test_each_class_gets_its_own_temperature() -> None:
    """Where the model is too sure of one diagnosis alone, only the temperature of that one rises."""
    judged = draw_judged(6000)
    bacterial = judged.logits.argmax(1) == 1
    sharp = replace(judged, logits=np.where(bacterial[:, None], judged.logits * 2, judged.logits))

    assert fit_temperatures([sharp]) == pytest.approx((1, 2, 1), rel=0.15)


def test_rare_classes_share_a_temperature() -> None:
    """Classes of fewer than 50 patients share one: the one that fits all three best, as a line search finds it."""
    judged = draw_judged(90, 2.0)
    rows = np.arange(90)

    def loss(temperature: float) -> float:
        return float(-np.log(probabilities(judged.logits, temperature)[rows, judged.labels]).mean())

    best = minimize_scalar(loss, bounds=(0.1, 10), method="bounded").x
    assert fit_temperatures([judged]) == pytest.approx((best,) * 3, rel=1e-3)


def test_patients_with_many_films_do_not_decide() -> None:
    """A child with two hundred films weighs as much as a child with one."""
    judged, odd = draw_judged(2000), draw_judged(200, 8.0, seed=5)
    together = Judged(
        np.concatenate([judged.logits, odd.logits]),
        np.concatenate([judged.labels, odd.labels]),
        np.concatenate([judged.groups, np.full(200, "one child")]),
    )

    assert fit_temperatures([together]) == pytest.approx(fit_temperatures([judged]), rel=0.02)


def test_sets_of_modalities_weigh_alike() -> None:
    """A set of modalities with ten times as many cases has no more to say."""
    few, many = draw_judged(600, 1.0), draw_judged(6000, 3.0, seed=1)
    repeated = replace(
        few, logits=np.tile(few.logits, (10, 1)), labels=np.tile(few.labels, 10), groups=np.tile(few.groups, 10)
    )

    assert fit_temperatures([few, many]) == pytest.approx(fit_temperatures([repeated, many]), rel=1e-4)


def test_calibration_keeps_its_promises_on_new_patients() -> None:
    """Fitted to some patients, the sets of others hold the truth nine times in ten, with every set of modalities."""
    calibration = fit_calibration(draw_answers(3000, 2.0, films=3))
    others = draw_answers(3000, 2.0, seed=50, films=3)

    covered = [calibrate_mask(others, calibration, mask).covered.mean() for mask in MASKS]

    assert covered == pytest.approx([0.9] * 7, abs=0.025)


def test_answers_are_seldom_wrong() -> None:
    """What is answered on new patients is wrong no more often than was aimed at, although the model often errs."""
    calibration = fit_calibration(draw_answers(4000), goal=Goal(0.2, 0.1))
    cases = calibrate_mask(draw_answers(4000, seed=50), calibration, MASKS[0])

    assert cases.wrong.mean() > 0.25
    assert cases.wrong[cases.answered].mean() < 0.2


def test_hopeless_model_never_answers() -> None:
    """Where guessing is all there is, no threshold keeps the promise, and the calibration says so."""
    answers = draw_answers(400)
    guessing = replace(answers, labels=np.random.default_rng(9).integers(0, 3, 400))

    selection = fit_calibration(guessing).selection

    assert selection is not None
    assert set(selection.answer_from.values()) == {NEVER}
