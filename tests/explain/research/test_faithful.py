from __future__ import annotations

import numpy as np
import pytest

from explain.research import faithful
from explain.research.curves import Curves
from explain.research.faithful import (
    Faithfulness,
    best_method,
    choice_figures,
    judge_methods,
    method_figures,
    say_choice,
    shipped_figure,
)
from explain.research.intervals import mean_figure
from explain.research.methods import RANDOM
from explain.research.variants import Subject


def curve(fall: float, count: int = 4) -> Curves:
    """Cases of which everything that is marked takes `fall` away."""
    whole = np.full(count, 0.9)
    return Curves(whole, np.zeros(count), np.full((count, 4), 0.9 - fall), np.full((count, 4), 0.9))


def made(**falls: float) -> Faithfulness:
    """Image methods with these falls, on four cases; the last has no film."""
    there = np.array([True, True, True, False])
    curves = {name: curve(fall) for name, fall in falls.items()}
    return Faithfulness("image", there, ("a", "b", "c", "d"), curves, {}, there[:, None])


def test_figures_count_cases_that_have_the_modality() -> None:
    """A case without a film says nothing of film methods; a method stands beside chance."""
    found = {one.name: one for one in method_figures(made(relevance=0.3, random=0.1))}

    assert found["method.image.relevance.comprehensiveness"].n == 3
    assert found["method.image.relevance.comprehensiveness.over_random"].value == pytest.approx(0.2)
    assert "method.image.random.comprehensiveness.over_random" not in found


def test_dear_method_is_compared_on_its_own_cases() -> None:
    """A method measured on the first cases alone is compared with chance on these."""
    found = made(relevance=0.3, random=0.1)
    few = Faithfulness(
        "image", found.there, found.patients, {**found.curves, "covering": curve(0.5, 2)}, {}, found.parts
    )

    assert few.over_random("covering").tolist() == pytest.approx([0.4, 0.4])


def test_shipped_figure_has_the_name_that_scripts_read() -> None:
    """`comprehensiveness_over_random.<modality>` is that of the shipped method."""
    (figure,) = shipped_figure(made(covering=0.3, gradcam=0.5, random=0.1))

    assert figure.name == "comprehensiveness_over_random.image"
    assert figure.value == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("gradcam", "words"), [(0.1, "which ships."), (0.5, "is behind it by 0.200"), (0.3, "which ships.")]
)
def test_choice_is_said_with_its_lead(gradcam: float, words: str) -> None:
    """The most faithful method is named, and whether it leads the shipped one."""
    found = made(covering=0.3, gradcam=gradcam, random=0.1)

    assert words in say_choice(found)
    assert best_method([found])["image"] in say_choice(found)


def test_lead_is_paired() -> None:
    """The lead of the best over the shipped is a figure of its own, by patients."""
    last = list(choice_figures(made(covering=0.3, gradcam=0.5, random=0.1)))[-1]

    assert last.name == "validation.image.best_minus_shipped"
    assert last.value == pytest.approx(0.2)


def test_all_methods_of_a_modality_are_judged(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cheap and dear ones, and chance; each is told when it is done."""
    monkeypatch.setattr(faithful, "CASES_OF_DEAR", dict.fromkeys(faithful.CASES_OF_DEAR, 2))
    done: list[int] = []
    found = judge_methods(subject, "text", lambda: done.append(1))

    assert set(found.curves) == {"relevance", "attention_x_gradient", "raw_attention", "leave_one_out", RANDOM}
    assert len(done) == len(found.curves)
    assert found.there.tolist() == [True, True, False]
    assert len(found.curves["leave_one_out"].whole) == 2


def test_interval_is_by_patients() -> None:
    """Films of one child are drawn together; cases without a value are left out, and no value is no figure."""
    values = np.array([1.0, 1.0, 0.0, np.nan])
    (figure,) = mean_figure("x", values, ("a", "a", "b", "c"))

    assert figure.value == pytest.approx(2 / 3)
    assert (figure.n, figure.low, figure.high) == (3, 0.0, 1.0)
    assert mean_figure("x", np.array([np.nan]), ("a",)) == []
